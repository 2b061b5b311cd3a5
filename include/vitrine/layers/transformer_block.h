#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"
#include "vitrine/layers/attention.h"
#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/layer_scale.h"
#include "vitrine/layers/mlp.h"

namespace vitrine {

/// Options of `TransformerBlock`.
struct TransformerBlockOptions {
  TransformerBlockOptions(int64_t dim, int64_t num_heads) : dim_(dim), num_heads_(num_heads) {}

  /// Channels of a token.
  TORCH_ARG(int64_t, dim);
  /// Attention heads, at least 1.
  TORCH_ARG(int64_t, num_heads);
  /// Channels of a head; 0 stands for dim / num_heads.
  TORCH_ARG(int64_t, head_dim) = 0;
  /// Channels inside the MLP, as a multiple of `dim`.
  TORCH_ARG(double, mlp_ratio) = 4.0;
  TORCH_ARG(bool, qkv_bias) = true;
  TORCH_ARG(bool, proj_bias) = true;
  /// Factors of each branch's channels at the start (`LayerScale`); 0 leaves the factors out.
  TORCH_ARG(double, init_values) = 0.0;
  TORCH_ARG(Activation, activation) = Activation::Gelu;
  /// Whether half of the MLP's channels gates the other.
  TORCH_ARG(bool, gated_mlp) = false;
  /// Added to the variance in the norms.
  TORCH_ARG(double, norm_eps) = 1e-6;
  /// Probabilities, in [0, 1), of dropping while training: an output of the projection and the MLP,
  /// an attention weight, a whole branch.
  TORCH_ARG(double, proj_drop) = 0.0;
  TORCH_ARG(double, attn_drop) = 0.0;
  TORCH_ARG(double, drop_path) = 0.0;
};

/// Pre-norm transformer block: x += attention(norm(x)), then x += mlp(norm(x)), either branch times
/// its factors where there are any.
///
/// Shapes: x [B, N, C]; the result is shaped alike.
/// Source: Dosovitskiy et al. (2020), equations 2 and 3, https://arxiv.org/abs/2010.11929.
/// Throws c10::ValueError on an option outside the ranges above.
class VITRINE_API TransformerBlockImpl final : public torch::nn::Cloneable<TransformerBlockImpl> {
 public:
  explicit TransformerBlockImpl(const TransformerBlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  TransformerBlockOptions options;
  torch::nn::LayerNorm norm1{nullptr};
  Attention attn{nullptr};
  LayerScale ls1{nullptr};  // only with init_values, as is ls2
  DropPath drop_path1{nullptr};
  torch::nn::LayerNorm norm2{nullptr};
  Mlp mlp{nullptr};
  LayerScale ls2{nullptr};
  DropPath drop_path2{nullptr};
};
TORCH_MODULE(TransformerBlock);

}  // namespace vitrine
