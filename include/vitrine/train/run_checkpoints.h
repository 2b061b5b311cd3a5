#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/weights/model_file.h"

namespace vitrine {

/// The folder of the run whose checkpoint the file at `path` is, by its name and place and the
/// best.safetensors of that folder; nothing where it is none.
VITRINE_API std::optional<std::string> run_of_checkpoint(const std::string& path);

/// Puts the weights of a run's checkpoint, the averaged ones where there are any, into the model of
/// the run's best.safetensors, whose provenance then tells the checkpoint's epoch. Throws
/// CheckpointError when the checkpoint is damaged.
VITRINE_API void load_checkpoint_weights(
    LoadedModel& best, const std::string& path, const LoadOptions& options = {});

/// Paths of the `count`, at least 1, best of the epochs whose checkpoints the run in `folder`
/// keeps, best first: by metrics.jsonl and the run's own metric; of equals the earlier. Throws
/// FileError where the folder is no run's, and Error where fewer are kept.
VITRINE_API std::vector<std::string> best_checkpoints(const std::string& folder, int64_t count);

}  // namespace vitrine
