#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/train/epoch_progress.h"
#include "vitrine/train/grad_scaler.h"
#include "vitrine/train/plateau.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// Where a run stands.
struct RunState {
  int64_t epoch = 0;       // epochs completed
  int64_t step = 0;        // updates done, those left out included
  int64_t best_epoch = 0;  // epoch of the best model so far, from 1; 0 before the first
  double best_top1 = 0;    // its share of right answers on the validation images
  std::string run;         // what the run was started with, as JSON; free to the writer
  double best_loss = 0;    // the best model's loss on the validation images
  std::optional<PlateauState> plateau = std::nullopt;    // of a schedule that has one
  EpochProgress progress = {};                           // in the epoch after the completed ones
  std::optional<GradScalerState> scaler = std::nullopt;  // of a training with float16
  std::vector<std::string> bad_images = {};  // names of those skipped so far, which are counted
};

/// Everything that a run needs to go on as if it had never stopped. What is random follows from the
/// seed and the position, so that no state of a generator is kept.
struct Checkpoint {
  StateDict model;
  StateDict optimizer;
  RunState state;
  StateDict ema;  // the moving average of the model; empty without one
};

/// Receives a message of one line.
using WarningHandler = std::function<void(const std::string&)>;

/// Writes `checkpoint` as one safetensors file (keys "model.*", "optimizer.*" and "ema.*", the
/// rest as JSON in the metadata, with a checksum of the tensors), atomically and durably.
VITRINE_API void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Reads such a file; throws CheckpointError when it is damaged.
VITRINE_API Checkpoint read_checkpoint(const std::string& path);

/// The path of the checkpoint of `epoch` in `folder`: epoch-0007.safetensors, or after so many
/// updates of it, not 0, epoch-0007-update-000123.safetensors.
VITRINE_API std::string checkpoint_path(
    const std::string& folder, int64_t epoch, int64_t updates = 0);
/// The path of a checkpoint of a run that stands there.
VITRINE_API std::string checkpoint_path(const std::string& folder, const RunState& state);
/// Whether `checkpoint_path` gives files of this name.
VITRINE_API bool is_checkpoint_name(const std::string& name);

/// Reads the newest checkpoint of `folder`; a damaged one is told to `warn`, and the one before is
/// read. Nothing when there is none; CheckpointError when none of those there can be read.
VITRINE_API std::optional<Checkpoint> read_newest_checkpoint(
    const std::string& folder, const WarningHandler& warn);

/// Removes the checkpoints of `folder` that seem newer than that of `state`, which has just been
/// written: they are damaged, as it was begun from one before them; and of the others all but the
/// newest `keep`.
VITRINE_API void remove_other_checkpoints(
    const std::string& folder, const RunState& state, int64_t keep);

/// Copies `tensors` into the parameters and buffers of `module`, which must have the same keys,
/// shapes and dtypes, less the derived tables; throws CheckpointError, changing nothing, when they
/// do not.
VITRINE_API void restore_module(torch::nn::Module& module, const StateDict& tensors);

}  // namespace vitrine
