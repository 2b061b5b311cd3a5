#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/layers/patch_embed.h"
#include "vitrine/models/cloneable_classifier.h"

namespace vitrine {

/// Options of `VisionTransformer`, by timm's names.
struct VisionTransformerOptions {
  /// Whether the last norm follows the pooling: what `fc_norm` says, or follows from `global_pool`.
  bool normalises_pooled() const {
    return fc_norm().value_or(global_pool() == "avg" || global_pool() == "mean_all");
  }

  /// Rows and columns of the image, in pixels; multiples of the patch size.
  TORCH_ARG(Size2, img_size) = {224, 224};
  /// Side of a patch, in pixels.
  TORCH_ARG(int64_t, patch_size) = 16;
  TORCH_ARG(int64_t, in_chans) = 3;
  /// Classes of the head; 0 leaves it out.
  TORCH_ARG(int64_t, num_classes) = 1000;
  /// What the head sees: "token" the class token, "avg" the mean of the patches, "mean_all" the
  /// mean of all tokens, the class token included, "token_avg" the class token and the mean of the
  /// patches, one after the other.
  TORCH_ARG(std::string, global_pool) = "token";
  /// Channels of a token.
  TORCH_ARG(int64_t, embed_dim) = 768;
  /// Transformer blocks, at least 1.
  TORCH_ARG(int64_t, depth) = 12;
  TORCH_ARG(int64_t, num_heads) = 12;
  /// Channels of a head; 0 stands for embed_dim / num_heads.
  TORCH_ARG(int64_t, head_dim) = 0;
  /// Channels inside the MLP, as a multiple of `embed_dim`.
  TORCH_ARG(double, mlp_ratio) = 4.0;
  TORCH_ARG(bool, qkv_bias) = true;
  TORCH_ARG(bool, proj_bias) = true;
  /// "mlp", or "swiglu": half of the first layer's channels gates the other by SiLU.
  TORCH_ARG(std::string, mlp_layer) = "mlp";
  /// Factors of each branch's channels at the start (`LayerScale`); 0 leaves the factors out.
  TORCH_ARG(double, init_values) = 0.0;
  /// Whether a learned token goes before the patches.
  TORCH_ARG(bool, class_token) = true;
  /// Whether a second one follows it, with a head of its own (`forward_heads`). Needs pooling by
  /// token, and no registers.
  TORCH_ARG(bool, distilled) = false;
  /// Further learned tokens before the patches, which no head sees.
  TORCH_ARG(int64_t, reg_tokens) = 0;
  /// "learn", or "sincos2d": fixed ones, of the patches alone.
  TORCH_ARG(std::string, pos_embed) = "learn";
  /// Whether the positions are of the patches alone, not of the tokens before them.
  TORCH_ARG(bool, no_embed_class) = false;
  /// Whether the patches are normalised before and after their projection.
  TORCH_ARG(bool, dual_patch_norm) = false;
  /// Whether the last norm follows the pooling (as `fc_norm`) or precedes it (as `norm`); where it
  /// is not set, it follows means and precedes the class token. "token_avg" needs it before.
  TORCH_ARG(std::optional<bool>, fc_norm);
  /// Whether images of other sizes are taken, by resampling the position embeddings on the way.
  TORCH_ARG(bool, dynamic_img_size) = false;
  /// How learned positions are resampled, on loading and on the way, by DINOv2's names
  /// (`PositionInterpolation`): as they stand timm's way; false and 0.1 that of DINO, and of DINOv2
  /// without registers.
  TORCH_ARG(bool, interpolate_antialias) = true;
  TORCH_ARG(double, interpolate_offset) = 0.0;
  /// Added to the variance in the norms.
  TORCH_ARG(double, norm_eps) = 1e-6;
  /// Probabilities, in [0, 1), of dropping while training: an input of the head, an embedded
  /// token's channel, an output of projection and MLP, an attention weight, the last block's
  /// branches (rising linearly from 0 at the first).
  TORCH_ARG(double, drop_rate) = 0.0;
  TORCH_ARG(double, pos_drop_rate) = 0.0;
  TORCH_ARG(double, proj_drop_rate) = 0.0;
  TORCH_ARG(double, attn_drop_rate) = 0.0;
  TORCH_ARG(double, drop_path_rate) = 0.0;
};

/// `base` with `overrides` put in. Throws UnknownNameError on a name that no option has,
/// c10::ValueError on a value of another kind.
VITRINE_API VisionTransformerOptions
apply(VisionTransformerOptions base, const ModelOptions& overrides);

/// Vision transformer: patches to tokens, learned tokens before them, positions, transformer
/// blocks, a head. By its options also DeiT, DeiT III, DINO, DINOv2 and SimpleViT.
///
/// Shapes: images [B, in_chans, H, W]; features [B, P + N, C], the P tokens before the patches
/// being the class token, then the distillation token or the registers; logits [B, K]. Sources:
/// Dosovitskiy et al. (2020), "An Image is Worth 16x16 Words", https://arxiv.org/abs/2010.11929;
/// distilled: Touvron et al. (2020), "Training data-efficient image transformers",
/// https://arxiv.org/abs/2012.12877; init_values: Touvron et al. (2022), "DeiT III",
/// https://arxiv.org/abs/2204.07118; swiglu: Oquab et al. (2023), "DINOv2",
/// https://arxiv.org/abs/2304.07193; reg_tokens: Darcet et al. (2023), "Vision Transformers Need
/// Registers", https://arxiv.org/abs/2309.16588; sincos2d: Beyer et al. (2022), "Better plain ViT
/// baselines for ImageNet-1k", https://arxiv.org/abs/2205.01580. Throws c10::ValueError on an
/// option or a shape outside the ranges above.
class VITRINE_API VisionTransformerImpl final : public CloneableClassifier<VisionTransformerImpl> {
 public:
  explicit VisionTransformerImpl(const VisionTransformerOptions& options_ = {});

  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward_features(const torch::Tensor& images) override;
  Intermediates forward_intermediates(
      const torch::Tensor& images, const IntermediatesOptions& options = {}) override;
  torch::Tensor forward_head(const torch::Tensor& features, bool pre_logits = false) override;
  std::vector<torch::Tensor> forward_heads(const torch::Tensor& features) override;
  void reset_classifier(int64_t num_classes) override;
  int64_t num_classes() const override { return options.num_classes(); }
  int64_t num_features() const override;
  int64_t in_chans() const override { return options.in_chans(); }
  std::vector<std::string> classifier_names() const override;
  std::vector<std::vector<std::string>> layer_prefixes() const override;
  ModelOptions model_options() const override;
  /// Position embeddings are resampled from the grid of `origin`, or a square one, to this model's.
  torch::Tensor adapt_weight(
      const std::string& key,
      const torch::Tensor& value,
      const ModelOptions* origin) const override;
  bool depends_on_size(const std::string& key) const override;

  VisionTransformerOptions options;
  // Tokens only where the options ask for them.
  torch::Tensor cls_token;   // [1, 1, C]
  torch::Tensor dist_token;  // [1, 1, C]
  torch::Tensor reg_token;   // [1, reg_tokens, C]
  // Positions: either learned ones, of the tokens before the patches first, or fixed ones.
  torch::Tensor pos_embed;         // [1, P + N, C], or [1, N, C] with no_embed_class
  torch::Tensor sincos_pos_embed;  // [1, N, C]; derived, never loaded
  PatchEmbed patch_embed{nullptr};
  torch::nn::Dropout pos_drop{nullptr};
  torch::nn::Sequential blocks{nullptr};  // of TransformerBlock
  torch::nn::LayerNorm norm{nullptr};     // either this one
  torch::nn::LayerNorm fc_norm{nullptr};  // or this one
  torch::nn::Dropout head_drop{nullptr};
  torch::nn::Linear head{nullptr};       // only where there are classes
  torch::nn::Linear head_dist{nullptr};  // only where it is distilled as well

 private:
  int64_t prefix_tokens() const;
  int64_t embedded_prefix() const;
  void register_tokens(Size2 grid);
  torch::Tensor positions(Size2 grid) const;
  torch::Tensor resampled(const torch::Tensor& embedding, Size2 old_grid, Size2 new_grid) const;
  torch::Tensor with_prefix(const torch::Tensor& patches);
  torch::Tensor embed(const torch::Tensor& images);  // [B, P + N, C]
  std::vector<torch::Tensor> pool(const torch::Tensor& features);
};
TORCH_MODULE(VisionTransformer);

}  // namespace vitrine
