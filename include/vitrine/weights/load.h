#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// How `load_weights` treats the file.
struct LoadOptions {
  /// Keep the model's own, random head and ignore the file's.
  TORCH_ARG(bool, reset_head) = false;
  /// Of a PyTorch file, the dict that holds the weights, or dicts joined by dots; empty for the
  /// usual ones: state_dict_ema, model_ema, ema_state_dict, ema, teacher, state_dict, model,
  /// model_state_dict, student, net, module.
  TORCH_ARG(std::string, checkpoint_key);
  /// Options of the model that the weights are of, as far as they are known: the shape of positions
  /// does not tell 8x32 patches from 16x16 (`Classifier::adapt_weight`).
  TORCH_ARG(std::optional<ModelOptions>, origin);
  /// Leave the model as it was where a value turns out to be NaN, infinite or damaged: all values
  /// are looked at before the first is copied. Without it they are read once only, which is faster,
  /// and an error leaves the model half overwritten, for a caller that then throws it away.
  TORCH_ARG(bool, all_or_nothing) = true;
};

/// What `load_weights` did.
struct LoadReport {
  std::vector<std::string> resampled;  // keys brought to the model's size
  std::vector<std::string> reset;      // keys of the head, left as they were
};

/// How the tensors of a file fit a model: all but `resampled` and `reset` stand against loading.
struct FitReport {
  std::vector<std::string> missing;    // keys that the file lacks
  std::vector<std::string> unknown;    // names that the model does not have
  std::vector<std::string> misshapen;  // keys, each with the file's shape or type and the model's
  std::vector<std::string> resampled;
  std::vector<std::string> reset;
  std::string hint;  // the likely cause; mostly empty

  bool fits() const { return missing.empty() && unknown.empty() && misshapen.empty(); }
};

/// Copies the tensors of a state dict into `model`, by timm's names or by those of torchvision,
/// Hugging Face transformers, Microsoft's Swin, DINO, DINOv2, DeiT or ml-cvnets. Every key, shape
/// and dtype is compared first, and every value looked at, before any is copied: on missing, extra
/// or misshapen keys, which are listed, on NaN, infinity or damage within a tensor a
/// CheckpointError is thrown, and the model is unchanged (but see `all_or_nothing`).
VITRINE_API LoadReport
load_state_dict(Classifier& model, const StateDict& tensors, const LoadOptions& options = {});

/// The same from a checkpoint file, safetensors or PyTorch's own (of which nothing is executed);
/// errors name the file.
VITRINE_API LoadReport
load_weights(Classifier& model, const std::string& path, const LoadOptions& options = {});

/// What `load_weights` would find, in full; the model is left alone. Throws only where the file
/// cannot be read.
VITRINE_API FitReport
compare_weights(const Classifier& model, const std::string& path, const LoadOptions& options = {});

}  // namespace vitrine
