#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"
#include "vitrine/layers/patch_embed.h"

namespace vitrine {

/// A map [B, H, W, C] cut into windows [B * G, window area, C], G windows an image, row by row. H
/// and W are multiples of the window's sides.
VITRINE_API torch::Tensor window_partition(const torch::Tensor& x, Size2 window);

/// Windows [B * G, window area, C] put together again to [B, H, W, C].
VITRINE_API torch::Tensor window_reverse(const torch::Tensor& windows, Size2 window, Size2 size);

/// The mask of attention in a map of `size` after a cyclic shift, [G, N, N]: 0 where tokens i and j
/// of a window were neighbours before the shift, -100 where not. `size` is a multiple of `window`.
VITRINE_API torch::Tensor shifted_window_mask(Size2 size, Size2 window, Size2 shift);

/// Options of `WindowAttention`.
struct WindowAttentionOptions {
  WindowAttentionOptions(int64_t dim, int64_t num_heads, Size2 window_size)
      : dim_(dim), num_heads_(num_heads), window_size_(window_size) {}
  WindowAttentionOptions(int64_t dim, int64_t num_heads, int64_t window_size)
      : WindowAttentionOptions(dim, num_heads, Size2{window_size, window_size}) {}

  /// Channels of a token; a multiple of `num_heads`.
  TORCH_ARG(int64_t, dim);
  /// Attention heads, at least 1.
  TORCH_ARG(int64_t, num_heads);
  /// Rows and columns of the window, in tokens.
  TORCH_ARG(Size2, window_size);
  /// Whether queries, keys and values have a bias; with `cosine` the keys never have.
  TORCH_ARG(bool, qkv_bias) = true;
  /// Whether a score is the cosine of query and key, times a learned scale of at most 100, and the
  /// bias of an offset comes from an MLP (Swin v2), not from a table.
  TORCH_ARG(bool, cosine) = false;
  /// Rows and columns of the window by which the MLP's offsets are scaled, that of the pretraining;
  /// 0x0 stands for `window_size`.
  TORCH_ARG(Size2, pretrained_window_size) = {0, 0};
  /// Probability, in [0, 1), of dropping an attention weight while training.
  TORCH_ARG(double, attn_drop) = 0.0;
  /// Probability, in [0, 1), of dropping an output while training.
  TORCH_ARG(double, proj_drop) = 0.0;
};

/// Self-attention among the tokens of one window, with a learned bias for each offset of a pair.
///
/// Shapes, for G windows an image and N tokens a window:
///   x       [B * G, N, C]
///   mask    [G, N, N]; 0 where token i may attend to token j, -100 where it may not; or undefined
///   result  [B * G, N, C]
///
/// Source: Liu et al. (2021), "Swin Transformer", section 3.2, https://arxiv.org/abs/2103.14030;
/// cosine: Liu et al. (2022), "Swin Transformer V2", sections 3.2 and 3.3,
/// https://arxiv.org/abs/2111.09883.
/// Throws c10::ValueError on an option or a shape outside the ranges above.
class VITRINE_API WindowAttentionImpl final : public torch::nn::Cloneable<WindowAttentionImpl> {
 public:
  explicit WindowAttentionImpl(const WindowAttentionOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& mask = {});

  // The derived tables are made anew, from float32: LibTorch would convert the index as well, and
  // lose digits of the coordinates on the way through a low precision.
  using torch::nn::Module::to;
  void to(torch::Device device, torch::Dtype dtype, bool non_blocking = false) override;
  void to(torch::Dtype dtype, bool non_blocking = false) override;

  WindowAttentionOptions options;
  torch::nn::Linear qkv{nullptr};
  torch::nn::Dropout attn_drop{nullptr};
  torch::nn::Linear proj{nullptr};
  torch::nn::Dropout proj_drop{nullptr};
  torch::Tensor relative_position_index;  // [N, N] int64; derived, never loaded

  // O = (2 * rows - 1) * (2 * columns - 1) offsets. Without `cosine`:
  torch::Tensor relative_position_bias_table;  // [O, M]
  // With `cosine`:
  torch::Tensor logit_scale;               // [M, 1, 1], the logarithm
  torch::nn::Sequential cpb_mlp{nullptr};  // offsets [O, 2] to [O, M]
  torch::Tensor q_bias;                    // [C]; only with qkv_bias, as is v_bias
  torch::Tensor v_bias;                    // [C]
  torch::Tensor relative_coords_table;     // [O, 2]; derived, never loaded

 private:
  void reset_cosine();
  void restore_tables();
  torch::Tensor coords() const;
  torch::Tensor project(const torch::Tensor& x);                               // [3, B*G, M, N, D]
  torch::Tensor scores(const torch::Tensor& q, const torch::Tensor& k) const;  // [B*G, M, N, N]
  torch::Tensor relative_position_bias();                                      // [M, N, N]
};
TORCH_MODULE(WindowAttention);

}  // namespace vitrine
