#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"
#include "vitrine/layers/conv_block.h"
#include "vitrine/layers/patch_embed.h"

namespace vitrine {

/// A map [B, C, H, W] as the pixels of patches [B * P, N, C]: N patches, row by row, for each of
/// the P places within a patch. H and W are multiples of the patch's sides.
VITRINE_API torch::Tensor unfold_patches(const torch::Tensor& map, Size2 patch);

/// The inverse of `unfold_patches`, for a map of `size`.
VITRINE_API torch::Tensor fold_patches(const torch::Tensor& patches, Size2 patch, Size2 size);

/// Options of `MobileVitBlock`.
struct MobileVitBlockOptions {
  MobileVitBlockOptions(int64_t chans, int64_t transformer_dim, int64_t transformer_depth)
      : chans_(chans), transformer_dim_(transformer_dim), transformer_depth_(transformer_depth) {}

  /// Channels of the map.
  TORCH_ARG(int64_t, chans);
  /// Channels of the transformer's tokens; a multiple of `num_heads`.
  TORCH_ARG(int64_t, transformer_dim);
  /// Transformer blocks, at least 1.
  TORCH_ARG(int64_t, transformer_depth);
  /// Side of a patch, in pixels of the map.
  TORCH_ARG(int64_t, patch_size) = 2;
  TORCH_ARG(int64_t, num_heads) = 4;
  /// Channels inside the MLP, as a multiple of `transformer_dim`.
  TORCH_ARG(double, mlp_ratio) = 2.0;
  /// Probabilities, in [0, 1), of dropping while training: an output of the projection and the MLP,
  /// an attention weight, a transformer's branch.
  TORCH_ARG(double, proj_drop) = 0.0;
  TORCH_ARG(double, attn_drop) = 0.0;
  TORCH_ARG(double, drop_path) = 0.0;
};

/// Local features by convolution, then global ones by a transformer across patches, each place
/// within a patch for itself; folded back, joined to the input and fused by a convolution.
///
/// Shapes: x [B, C, H, W]; the result is shaped alike. A map that is no multiple of the patch is
/// scaled up bilinearly for the transformer and down after it, as the paper's code does. Source:
/// Mehta & Rastegari (2021), "MobileViT", section 3.1, https://arxiv.org/abs/2110.02178. Throws
/// c10::ValueError on an option or a shape outside the ranges above.
class VITRINE_API MobileVitBlockImpl final : public torch::nn::Cloneable<MobileVitBlockImpl> {
 public:
  explicit MobileVitBlockImpl(const MobileVitBlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  MobileVitBlockOptions options;
  ConvNormAct conv_kxk{nullptr};
  torch::nn::Conv2d conv_1x1{nullptr};
  torch::nn::Sequential transformer{nullptr};  // of TransformerBlock
  torch::nn::LayerNorm norm{nullptr};
  ConvNormAct conv_proj{nullptr};
  ConvNormAct conv_fusion{nullptr};
};
TORCH_MODULE(MobileVitBlock);

}  // namespace vitrine
