#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"
#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/linear_attention.h"
#include "vitrine/layers/mlp.h"

namespace vitrine {

/// Options of `LinearTransformerBlock`.
struct LinearTransformerBlockOptions {
  explicit LinearTransformerBlockOptions(int64_t dim) : dim_(dim) {}

  /// Channels of a token.
  TORCH_ARG(int64_t, dim);
  /// Channels inside the MLP, as a multiple of `dim`.
  TORCH_ARG(double, mlp_ratio) = 2.0;
  TORCH_ARG(Activation, activation) = Activation::Silu;
  /// Probabilities, in [0, 1), of dropping while training: an output of the projection and the MLP,
  /// a token's weight, a whole branch.
  TORCH_ARG(double, proj_drop) = 0.0;
  TORCH_ARG(double, attn_drop) = 0.0;
  TORCH_ARG(double, drop_path) = 0.0;
};

/// Pre-norm transformer block with separable self-attention, all of it by 1x1 convolutions; its
/// norms take channels and tokens of an image together.
///
/// Shapes: x [B, C, P, N], N tokens in each of P sets; the result is shaped alike.
/// Source: Mehta & Rastegari (2022), section 3.3, https://arxiv.org/abs/2206.02680.
/// Throws c10::ValueError on an option or a shape outside the ranges above.
class VITRINE_API LinearTransformerBlockImpl final
    : public torch::nn::Cloneable<LinearTransformerBlockImpl> {
 public:
  explicit LinearTransformerBlockImpl(const LinearTransformerBlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  LinearTransformerBlockOptions options;
  torch::nn::GroupNorm norm1{nullptr};  // of one group
  LinearAttention attn{nullptr};
  DropPath drop_path1{nullptr};
  torch::nn::GroupNorm norm2{nullptr};
  ConvMlp mlp{nullptr};
  DropPath drop_path2{nullptr};
};
TORCH_MODULE(LinearTransformerBlock);

}  // namespace vitrine
