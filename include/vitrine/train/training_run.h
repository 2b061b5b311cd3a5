#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "vitrine/export.h"
#include "vitrine/models/model_card.h"
#include "vitrine/train/train_options.h"
#include "vitrine/train/trainer.h"

namespace vitrine {

/// How well a model does on the validation images.
struct Scores {
  double loss;
  double top1;
  double top5;
};

/// A completed epoch: one line of metrics.jsonl. Shares of right answers are in [0, 1].
struct EpochRecord {
  int64_t epoch = 0;  // from 1
  int64_t step = 0;   // updates done, those left out included
  double lr = 0;      // of the last update
  double train_loss = 0;
  double val_loss = 0;
  double val_top1 = 0;
  double val_top5 = 0;
  double images_per_second = 0;
  double data_wait = 0;  // share of the training time spent waiting for images
  double seconds = 0;    // of the epoch, validation included
  /// Of the model as it was trained, where `val_*` are of the moving average of its weights.
  std::optional<Scores> raw = std::nullopt;
  /// Left out since the loss or a gradient was not finite, which is told of a training with
  /// float16.
  std::optional<int64_t> skipped_updates = std::nullopt;
};

/// From where a run starts, or goes on.
struct TrainStart {
  int64_t epoch;    // the first to train, from 1
  int64_t updates;  // of it that are done
  int64_t train_images;
  int64_t val_images;
};

/// Whom a run tells how it goes; any may be empty.
struct TrainEvents {
  std::function<void(const TrainStart&)> start;
  std::function<void(const StepReport&)> step;
  std::function<void(const EpochRecord&, bool best)> epoch;
  /// Something to know, on one line.
  std::function<void(const std::string&)> warning;
  /// Asked after every update and every batch of validation; true ends the run.
  std::function<bool()> stop;
};

/// How a call of `train` ended.
enum class TrainOutcome {
  Finished,         // all epochs are done
  AlreadyFinished,  // they had been before; nothing was changed
  Stopped           // by `stop`; everything done is kept
};

struct TrainResult {
  TrainOutcome outcome = TrainOutcome::Finished;
  int64_t epochs = 0;      // completed
  int64_t updates = 0;     // of the epoch after them
  int64_t best_epoch = 0;  // 0 before the first
  double best_top1 = 0;
};

/// The card that a training with `options` starts from: that of the weights where they carry one,
/// else that of the named model. Throws UnknownNameError, and FileError when the weights cannot be
/// read.
VITRINE_API ModelCard starting_card(const TrainOptions& options);

/// Trains a model on a folder of images into a run folder, or goes on with the run that was begun
/// there.
///
/// After each epoch it validates, adds a line to metrics.jsonl, writes best.safetensors when the
/// model is the best so far, and a checkpoint, each durably. Where weights are averaged, the
/// average is what is validated first, decides and is written. A run that `stop` ends writes a
/// checkpoint first, also in the middle of an epoch. A run that was killed at any instant goes on
/// from its newest checkpoint, and ends with the same bits as one that was not, given as many
/// threads of LibTorch and the same kind of device. Throws Error when options differ from
/// those the run was begun with.
VITRINE_API TrainResult train(const TrainOptions& options, const TrainEvents& events = {});

}  // namespace vitrine
