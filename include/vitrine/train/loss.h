#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// What training minimises, by timm's names.
struct LossOptions {
  /// Share of a target's weight that goes evenly to all classes, in [0, 1); soft targets have been
  /// smoothed before.
  TORCH_ARG(double, smoothing) = 0.1;
  /// Binary cross entropy of each class by itself, instead of cross entropy over all.
  TORCH_ARG(bool, bce_loss) = false;
  /// Sum the binary cross entropy over classes instead of taking their mean.
  TORCH_ARG(bool, bce_sum) = false;
  /// Take targets of the binary cross entropy above this for 1 and the others for 0; in [0, 1).
  TORCH_ARG(std::optional<double>, bce_target_thresh);
  /// Weight of each class, at least 0; empty for 1 each.
  TORCH_ARG(std::vector<double>, class_weights);
};

/// Throws c10::ValueError, naming the option, when one is out of range or serves nothing.
VITRINE_API void check_options(const LossOptions& options);

/// Throws c10::ValueError when there are class weights, but not for `num_classes` classes.
VITRINE_API void check_class_weights(const LossOptions& options, int64_t num_classes);

/// The mean loss of a batch, a scalar.
///
/// logits are [B, K]; targets are classes, int64 [B], or shares of the classes, float [B, K]. Equal
/// to timm's LabelSmoothingCrossEntropy, SoftTargetCrossEntropy and BinaryCrossEntropy; class
/// weights act as in torch's losses of the same names, but that a batch whose classes all weigh 0
/// has the loss 0 and no gradient where torch has 0 / 0.
VITRINE_API torch::Tensor classification_loss(
    const torch::Tensor& logits, const torch::Tensor& targets, const LossOptions& options);

/// Classes, int64 [B], as smoothed shares, float32 [B, K]: smoothing / K everywhere, and 1 -
/// smoothing more at the class.
VITRINE_API torch::Tensor soft_targets(
    const torch::Tensor& classes, int64_t num_classes, double smoothing);

/// Weights that make every class count the same, given its images: N / (K n) for n of N images.
VITRINE_API std::vector<double> balanced_class_weights(const std::vector<int64_t>& images);

}  // namespace vitrine
