#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"

namespace vitrine {

/// Multiplies each channel by a learned factor that starts small, so that a deep model starts near
/// the identity.
///
/// Shapes: x [..., C]; the result is shaped alike.
/// Source: Touvron et al. (2021), "Going deeper with Image Transformers", section 2.1,
/// https://arxiv.org/abs/2103.17239. Throws c10::ValueError when `dim` is not at least 1.
class VITRINE_API LayerScaleImpl final : public torch::nn::Cloneable<LayerScaleImpl> {
 public:
  /// `dim` channels, each factor being `init_value_` at first.
  LayerScaleImpl(int64_t dim_, double init_value_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  int64_t dim;
  double init_value;
  torch::Tensor gamma;  // [C]
};
TORCH_MODULE(LayerScale);

}  // namespace vitrine
