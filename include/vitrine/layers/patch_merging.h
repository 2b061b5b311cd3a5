#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"

namespace vitrine {

/// Options of `PatchMerging`.
struct PatchMergingOptions {
  PatchMergingOptions(int64_t dim, int64_t out_dim) : dim_(dim), out_dim_(out_dim) {}

  /// Channels in and out.
  TORCH_ARG(int64_t, dim);
  TORCH_ARG(int64_t, out_dim);
  /// Added to the variance in the norm.
  TORCH_ARG(double, norm_eps) = 1e-5;
  /// Whether the norm follows the projection (Swin v2) or precedes it.
  TORCH_ARG(bool, post_norm) = false;
  /// Whether a map with an odd side gets a row or column of zeros at its end; otherwise it is
  /// refused.
  TORCH_ARG(bool, pad_odd) = false;
};

/// Halves a map: the four tokens of each 2x2 square side by side, a norm, and a projection without
/// bias.
///
/// Shapes: x [B, H, W, C]; the result is [B, H / 2, W / 2, out_dim], rounded up with `pad_odd`.
/// Source: Liu et al. (2021), section 3.1, https://arxiv.org/abs/2103.14030; `post_norm`: the code
/// of Liu et al. (2022), https://arxiv.org/abs/2111.09883. Throws c10::ValueError on an option or a
/// shape outside the ranges above.
class VITRINE_API PatchMergingImpl final : public torch::nn::Cloneable<PatchMergingImpl> {
 public:
  explicit PatchMergingImpl(const PatchMergingOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  PatchMergingOptions options;
  torch::nn::LayerNorm norm{nullptr};
  torch::nn::Linear reduction{nullptr};
};
TORCH_MODULE(PatchMerging);

}  // namespace vitrine
