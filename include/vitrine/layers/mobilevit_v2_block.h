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

namespace vitrine {

/// Options of `MobileVitV2Block`.
struct MobileVitV2BlockOptions {
  MobileVitV2BlockOptions(int64_t chans, int64_t transformer_dim, int64_t transformer_depth)
      : chans_(chans), transformer_dim_(transformer_dim), transformer_depth_(transformer_depth) {}

  /// Channels of the map.
  TORCH_ARG(int64_t, chans);
  /// Channels of the transformer's tokens.
  TORCH_ARG(int64_t, transformer_dim);
  /// Transformer blocks, at least 1.
  TORCH_ARG(int64_t, transformer_depth);
  /// Side of a patch, in pixels of the map.
  TORCH_ARG(int64_t, patch_size) = 2;
  /// Channels inside the MLP, as a multiple of `transformer_dim`.
  TORCH_ARG(double, mlp_ratio) = 2.0;
  /// Probabilities, in [0, 1), of dropping while training: an output of the projection and the MLP,
  /// a token's weight, a transformer's branch.
  TORCH_ARG(double, proj_drop) = 0.0;
  TORCH_ARG(double, attn_drop) = 0.0;
  TORCH_ARG(double, drop_path) = 0.0;
};

/// Local features by a depthwise convolution, then global ones by transformer blocks of separable
/// self-attention across patches, each place within a patch for itself; folded back and projected.
///
/// Shapes: x [B, C, H, W]; the result is shaped alike, except that a side that is no multiple of
/// the patch comes out rounded up to one: the map is scaled up bilinearly, corner to corner, as the
/// paper's code does, and stays so. Source: Mehta & Rastegari (2022), section 3.3,
/// https://arxiv.org/abs/2206.02680. Throws c10::ValueError on an option or a shape outside the
/// ranges above.
class VITRINE_API MobileVitV2BlockImpl final : public torch::nn::Cloneable<MobileVitV2BlockImpl> {
 public:
  explicit MobileVitV2BlockImpl(const MobileVitV2BlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  MobileVitV2BlockOptions options;
  ConvNormAct conv_kxk{nullptr};  // depthwise
  torch::nn::Conv2d conv_1x1{nullptr};
  torch::nn::Sequential transformer{nullptr};  // of LinearTransformerBlock
  torch::nn::GroupNorm norm{nullptr};          // of one group
  ConvNormAct conv_proj{nullptr};              // without activation
};
TORCH_MODULE(MobileVitV2Block);

}  // namespace vitrine
