#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Options of `ClassifierHead`.
struct ClassifierHeadOptions {
  ClassifierHeadOptions(int64_t in_features, int64_t num_classes)
      : in_features_(in_features), num_classes_(num_classes) {}

  /// Channels of the map.
  TORCH_ARG(int64_t, in_features);
  /// Classes; 0 for a head that only pools.
  TORCH_ARG(int64_t, num_classes);
  /// Probability, in [0, 1), of dropping a pooled feature while training.
  TORCH_ARG(double, drop_rate) = 0.0;
  /// Whether the channels stand last, [B, H, W, C], or second, [B, C, H, W].
  TORCH_ARG(bool, channels_last) = false;
};

/// Averages a map over its positions and projects the mean to the classes.
///
/// Shapes: x as `channels_last` says; the result is [B, K], or [B, C] with `pre_logits` or without
/// classes. Throws c10::ValueError on an option outside the ranges above.
class VITRINE_API ClassifierHeadImpl final : public torch::nn::Cloneable<ClassifierHeadImpl> {
 public:
  explicit ClassifierHeadImpl(const ClassifierHeadOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x, bool pre_logits = false);

  ClassifierHeadOptions options;
  torch::nn::Dropout drop{nullptr};
  torch::nn::Linear fc{nullptr};  // only where there are classes
};
TORCH_MODULE(ClassifierHead);

}  // namespace vitrine
