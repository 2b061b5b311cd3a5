#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"

namespace vitrine {

/// Options of `Attention`.
struct AttentionOptions {
  AttentionOptions(int64_t dim, int64_t num_heads) : dim_(dim), num_heads_(num_heads) {}

  /// Channels of a token.
  TORCH_ARG(int64_t, dim);
  /// Attention heads, at least 1.
  TORCH_ARG(int64_t, num_heads);
  /// Channels of a head; 0 stands for dim / num_heads, which must then be whole.
  TORCH_ARG(int64_t, head_dim) = 0;
  /// Whether queries, keys and values have a bias.
  TORCH_ARG(bool, qkv_bias) = true;
  /// Whether the projection has a bias.
  TORCH_ARG(bool, proj_bias) = true;
  /// Probability, in [0, 1), of dropping an attention weight while training.
  TORCH_ARG(double, attn_drop) = 0.0;
  /// Probability, in [0, 1), of dropping an output while training.
  TORCH_ARG(double, proj_drop) = 0.0;
};

/// Multi-head self-attention over all tokens: softmax(q k^T / sqrt(D)) v for each head, then a
/// projection.
///
/// Shapes: x [B, N, C]; the result is shaped alike.
/// Source: Vaswani et al. (2017), section 3.2, https://arxiv.org/abs/1706.03762.
/// Throws c10::ValueError on an option outside the ranges above.
class VITRINE_API AttentionImpl final : public torch::nn::Cloneable<AttentionImpl> {
 public:
  explicit AttentionImpl(const AttentionOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  AttentionOptions options;
  torch::nn::Linear qkv{nullptr};  // rows: queries, keys, values; within each, head by head
  torch::nn::Linear proj{nullptr};
  torch::nn::Dropout proj_drop{nullptr};

 private:
  torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v);
};
TORCH_MODULE(Attention);

}  // namespace vitrine
