#pragma once

#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// How `load_weights` treats the head.
struct LoadOptions {
  /// Keep the model's own, random head and ignore the file's.
  TORCH_ARG(bool, reset_head) = false;
};

/// What `load_weights` did.
struct LoadReport {
  std::vector<std::string> resampled;  // keys brought to the model's size
  std::vector<std::string> reset;      // keys of the head, left as they were
};

/// Copies the tensors of a state dict into `model`. Every key, shape and dtype is compared first:
/// on any missing, extra or misshapen key a CheckpointError lists them, and the model is unchanged.
VITRINE_API LoadReport
load_state_dict(Classifier& model, const StateDict& tensors, const LoadOptions& options = {});

/// The same from a checkpoint file; errors name the file.
VITRINE_API LoadReport
load_weights(Classifier& model, const std::string& path, const LoadOptions& options = {});

}  // namespace vitrine
