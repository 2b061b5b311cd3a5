#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <array>
#include <cstdint>
#include <ostream>

#include "vitrine/export.h"

namespace vitrine {

/// Rows and columns.
using Size2 = std::array<int64_t, 2>;

/// Throws c10::ValueError, naming the nearest that are, unless both sides of an image of `size` are
/// multiples of `patch_size`.
VITRINE_API void check_image_size(Size2 size, int64_t patch_size);

/// Form in which `PatchEmbed` gives its patches.
enum class PatchLayout {
  Tokens,  // [B, N, C], row by row
  Grid,    // [B, H', W', C]
  Map,     // [B, C, H', W']
};

/// Options of `PatchEmbed`.
struct PatchEmbedOptions {
  PatchEmbedOptions(int64_t patch_size, int64_t embed_dim)
      : patch_size_(patch_size), embed_dim_(embed_dim) {}

  /// Side of a patch, in pixels.
  TORCH_ARG(int64_t, patch_size);
  /// Channels of a patch's token.
  TORCH_ARG(int64_t, embed_dim);
  /// Rows and columns of the image, in pixels; multiples of the patch size.
  TORCH_ARG(Size2, img_size) = {224, 224};
  /// Channels of the image.
  TORCH_ARG(int64_t, in_chans) = 3;
  TORCH_ARG(PatchLayout, layout) = PatchLayout::Tokens;
  /// Whether the values of each patch are brought to mean 0 and variance 1 first; a norm's factors
  /// and biases can be folded into the projection.
  TORCH_ARG(bool, pre_norm) = false;
  /// Whether a LayerNorm follows, over the channels.
  TORCH_ARG(bool, norm) = false;
  /// Added to the variance in the norms.
  TORCH_ARG(double, norm_eps) = 1e-5;
  /// Whether an image of any size that is a multiple of the patch size is taken.
  TORCH_ARG(bool, dynamic_img_size) = false;
};

/// Cuts an image into square patches and projects each: a convolution whose stride is its kernel.
///
/// Shapes: images [B, in_chans, H, W]; the result as `PatchLayout` says, H' = H / patch_size, N =
/// H' * W'. Source: Dosovitskiy et al. (2020), section 3.1, https://arxiv.org/abs/2010.11929; norms
/// on both sides: Kumar et al. (2023), "Dual PatchNorm", https://arxiv.org/abs/2302.01327. Throws
/// c10::ValueError on an option outside the ranges above, or on an image of another size.
class VITRINE_API PatchEmbedImpl final : public torch::nn::Cloneable<PatchEmbedImpl> {
 public:
  explicit PatchEmbedImpl(const PatchEmbedOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& images);

  /// Patches along the rows and columns of an image of the size that the options say.
  Size2 grid_size() const;

  PatchEmbedOptions options;
  torch::nn::Conv2d proj{nullptr};
  torch::nn::LayerNorm norm{nullptr};  // only where the options ask for it

 private:
  torch::Tensor normalise_patches(const torch::Tensor& images) const;
};
TORCH_MODULE(PatchEmbed);

/// How `resample_position_embedding` interpolates, by DINOv2's names. As it stands: timm's way, and
/// that of DINOv2 with registers.
struct PositionInterpolation {
  /// Whether what shrinks is averaged; it makes the cubic kernel another one, Pillow's.
  bool antialias = true;
  /// Rows and columns, in [0, 1), that the new grid is taken to have more, as DINO and DINOv2
  /// without registers do (0.1); 0 for none.
  double offset = 0;
};

/// Position embeddings [1, P + h * w, C] for a grid of other size, [1, P + h' * w', C]: the first
/// `prefix_tokens` stay, the others are resampled bicubically in float32.
VITRINE_API torch::Tensor resample_position_embedding(
    const torch::Tensor& embedding,
    Size2 old_grid,
    Size2 new_grid,
    int64_t prefix_tokens,
    PositionInterpolation how = {});

}  // namespace vitrine
