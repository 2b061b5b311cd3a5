#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"
#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/mlp.h"
#include "vitrine/layers/patch_embed.h"
#include "vitrine/layers/window_attention.h"

namespace vitrine {

/// Options of `SwinBlock`.
struct SwinBlockOptions {
  SwinBlockOptions(int64_t dim, int64_t num_heads, Size2 input_resolution)
      : dim_(dim), num_heads_(num_heads), input_resolution_(input_resolution) {}

  /// Channels of a token; a multiple of `num_heads`.
  TORCH_ARG(int64_t, dim);
  /// Attention heads, at least 1.
  TORCH_ARG(int64_t, num_heads);
  /// Rows and columns of the map, in tokens.
  TORCH_ARG(Size2, input_resolution);
  /// Side of the window, in tokens; along a side where the map is no larger, the map's side.
  TORCH_ARG(int64_t, window_size) = 7;
  /// Whether the windows are shifted by half their side; not along a side that one window covers.
  TORCH_ARG(bool, shifted) = false;
  /// 1: a norm before each branch. 2: a norm after each, its weight 0 at the start, and attention
  /// by cosines.
  TORCH_ARG(int64_t, version) = 1;
  /// Of version 2: side of the window of the pretraining, in tokens; 0 stands for the window in
  /// use.
  TORCH_ARG(int64_t, pretrained_window_size) = 0;
  /// Channels inside the MLP, as a multiple of `dim`.
  TORCH_ARG(double, mlp_ratio) = 4.0;
  TORCH_ARG(bool, qkv_bias) = true;
  /// Added to the variance in the norms.
  TORCH_ARG(double, norm_eps) = 1e-5;
  /// Probabilities, in [0, 1), of dropping while training: an output of the projection and the MLP,
  /// an attention weight, a whole branch.
  TORCH_ARG(double, proj_drop) = 0.0;
  TORCH_ARG(double, attn_drop) = 0.0;
  TORCH_ARG(double, drop_path) = 0.0;
};

/// Transformer block whose attention stays within windows, shifted in every other block.
///
/// Shapes: x [B, H, W, C], H and W being the input resolution; the result is shaped alike.
/// Source: Liu et al. (2021), section 3.2, https://arxiv.org/abs/2103.14030; version 2: Liu et al.
/// (2022), section 3.2, https://arxiv.org/abs/2111.09883. A map that is no multiple of the window
/// is padded with zeros after the shift, as timm does it. Throws c10::ValueError on an option or a
/// shape outside the ranges above.
class VITRINE_API SwinBlockImpl final : public torch::nn::Cloneable<SwinBlockImpl> {
 public:
  explicit SwinBlockImpl(const SwinBlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  SwinBlockOptions options;
  torch::nn::LayerNorm norm1{nullptr};
  WindowAttention attn{nullptr};
  DropPath drop_path1{nullptr};
  torch::nn::LayerNorm norm2{nullptr};
  Mlp mlp{nullptr};
  DropPath drop_path2{nullptr};
  torch::Tensor attn_mask;  // [G, N, N]; derived, never loaded; only where the windows are shifted

 private:
  torch::Tensor attend(const torch::Tensor& x);

  Size2 window_{};  // sides in use
  Size2 shift_{};   // shift in use
};
TORCH_MODULE(SwinBlock);

}  // namespace vitrine
