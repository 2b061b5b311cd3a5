#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"

namespace vitrine {

/// Options of `LinearAttention`.
struct LinearAttentionOptions {
  explicit LinearAttentionOptions(int64_t dim) : dim_(dim) {}

  /// Channels of a token.
  TORCH_ARG(int64_t, dim);
  /// Probability, in [0, 1), of dropping a token's weight while training.
  TORCH_ARG(double, attn_drop) = 0.0;
  /// Probability, in [0, 1), of dropping an output while training.
  TORCH_ARG(double, proj_drop) = 0.0;
};

/// Separable self-attention, whose cost grows linearly with the tokens: one score for each token
/// instead of one for each pair, sum(softmax(q) k) relu(v), then a projection.
///
/// Shapes: x [B, C, P, N], N tokens in each of P sets that attend apart; the result is shaped
/// alike. Source: Mehta & Rastegari (2022), "Separable Self-attention for Mobile Vision
/// Transformers", section 3.2, https://arxiv.org/abs/2206.02680. Throws c10::ValueError on an
/// option or a shape outside the ranges above.
class VITRINE_API LinearAttentionImpl final : public torch::nn::Cloneable<LinearAttentionImpl> {
 public:
  explicit LinearAttentionImpl(const LinearAttentionOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  LinearAttentionOptions options;
  torch::nn::Conv2d qkv_proj{nullptr};  // 1x1; one channel of queries, C of keys, C of values
  torch::nn::Dropout attn_drop{nullptr};
  torch::nn::Conv2d out_proj{nullptr};  // 1x1
  torch::nn::Dropout out_drop{nullptr};
};
TORCH_MODULE(LinearAttention);

}  // namespace vitrine
