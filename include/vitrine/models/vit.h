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

#include "vitrine/export.h"
#include "vitrine/layers/patch_embed.h"
#include "vitrine/models/cloneable_classifier.h"

namespace vitrine {

/// Options of `VisionTransformer`, by timm's names.
struct VisionTransformerOptions {
  /// Rows and columns of the image, in pixels; multiples of the patch size.
  TORCH_ARG(Size2, img_size) = {224, 224};
  /// Side of a patch, in pixels.
  TORCH_ARG(int64_t, patch_size) = 16;
  TORCH_ARG(int64_t, in_chans) = 3;
  /// Classes of the head; 0 leaves it out.
  TORCH_ARG(int64_t, num_classes) = 1000;
  /// What the head sees: "token" the class token, "avg" the mean of the patches, "mean_all" the
  /// mean of all tokens, the class token included.
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
  /// Whether a learned token goes before the patches.
  TORCH_ARG(bool, class_token) = true;
  /// Whether the last norm follows the pooling (as `fc_norm`) or precedes it (as `norm`); where it
  /// is not set, it follows means and precedes the class token.
  TORCH_ARG(std::optional<bool>, fc_norm);
  /// Whether images of other sizes are taken, by resampling the position embeddings on the way.
  TORCH_ARG(bool, dynamic_img_size) = false;
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

/// Vision transformer: patches to tokens, a class token, learned positions, transformer blocks, a
/// head.
///
/// Shapes: images [B, in_chans, H, W]; features [B, N, C], the class token first; logits [B, K].
/// Source: Dosovitskiy et al. (2020), "An Image is Worth 16x16 Words",
/// https://arxiv.org/abs/2010.11929. Throws c10::ValueError on an option or a shape outside the
/// ranges above.
class VITRINE_API VisionTransformerImpl final : public CloneableClassifier<VisionTransformerImpl> {
 public:
  explicit VisionTransformerImpl(const VisionTransformerOptions& options_ = {});

  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward_features(const torch::Tensor& images) override;
  torch::Tensor forward_head(const torch::Tensor& features, bool pre_logits = false) override;
  void reset_classifier(int64_t num_classes) override;
  int64_t num_classes() const override { return options.num_classes(); }
  int64_t num_features() const override { return options.embed_dim(); }
  int64_t in_chans() const override { return options.in_chans(); }
  std::string classifier_name() const override { return "head"; }
  ModelOptions model_options() const override;
  /// Position embeddings of a square grid are resampled to this model's grid.
  torch::Tensor adapt_weight(const std::string& key, const torch::Tensor& value) const override;

  VisionTransformerOptions options;
  torch::Tensor cls_token;  // [1, 1, C]; only where the options ask for it
  torch::Tensor pos_embed;  // [1, N, C], the class token's first
  PatchEmbed patch_embed{nullptr};
  torch::nn::Dropout pos_drop{nullptr};
  torch::nn::Sequential blocks{nullptr};  // of TransformerBlock
  torch::nn::LayerNorm norm{nullptr};     // either this one
  torch::nn::LayerNorm fc_norm{nullptr};  // or this one
  torch::nn::Dropout head_drop{nullptr};
  torch::nn::Linear head{nullptr};  // only where there are classes

 private:
  int64_t prefix_tokens() const { return options.class_token() ? 1 : 0; }
};
TORCH_MODULE(VisionTransformer);

}  // namespace vitrine
