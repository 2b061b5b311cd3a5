#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/layers/classifier_head.h"
#include "vitrine/layers/patch_embed.h"
#include "vitrine/layers/patch_merging.h"
#include "vitrine/layers/swin_block.h"
#include "vitrine/models/cloneable_classifier.h"

namespace vitrine {

/// Options of `SwinStage`.
struct SwinStageOptions {
  SwinStageOptions(SwinBlockOptions block, std::vector<double> drop_path_rates)
      : block_(block), drop_path_rates_(std::move(drop_path_rates)) {}

  /// Of every block, but for shift and drop path.
  TORCH_ARG(SwinBlockOptions, block);
  /// Stochastic depth of each block; their number is the stage's depth.
  TORCH_ARG(std::vector<double>, drop_path_rates);
  /// Channels of the map that comes in, to be merged two by two; 0 where nothing is merged.
  TORCH_ARG(int64_t, downsample_dim) = 0;
};

/// One stage: patch merging, except in the first, then blocks whose windows shift every other time.
///
/// Shapes: x [B, H, W, C]; the result is [B, H / 2, W / 2, 2C], rounded up, or shaped alike in the
/// first.
class VITRINE_API SwinStageImpl final : public torch::nn::Cloneable<SwinStageImpl> {
 public:
  explicit SwinStageImpl(const SwinStageOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  SwinStageOptions options;
  PatchMerging downsample{nullptr};
  torch::nn::Sequential blocks{nullptr};  // of SwinBlock
};
TORCH_MODULE(SwinStage);

/// Options of `SwinTransformer`, by timm's names.
struct SwinTransformerOptions {
  /// Rows and columns of the image, in pixels; multiples of the patch size.
  TORCH_ARG(Size2, img_size) = {224, 224};
  /// Side of a patch, in pixels.
  TORCH_ARG(int64_t, patch_size) = 4;
  TORCH_ARG(int64_t, in_chans) = 3;
  /// Classes of the head; 0 leaves it out.
  TORCH_ARG(int64_t, num_classes) = 1000;
  /// Channels of the first stage; each further one has twice as many.
  TORCH_ARG(int64_t, embed_dim) = 96;
  /// Blocks and heads of each stage.
  TORCH_ARG(std::vector<int64_t>, depths) = {2, 2, 6, 2};
  TORCH_ARG(std::vector<int64_t>, num_heads) = {3, 6, 12, 24};
  /// Side of the window, in tokens: of each stage, or one number for all.
  TORCH_ARG(std::vector<int64_t>, window_size) = {7};

 public:
  SwinTransformerOptions& window_size(int64_t of_all) { return window_size(std::vector{of_all}); }
  /// 1 or 2; in 2 norms after the branches, attention by cosines, biases of offsets by an MLP,
  /// merging with its norm last.
  TORCH_ARG(int64_t, version) = 1;
  /// Of version 2: side of the window of the pretraining, of each stage or one number for all; 0
  /// stands for the window in use.
  TORCH_ARG(std::vector<int64_t>, pretrained_window_sizes) = {0};
  /// Channels inside the MLP, as a multiple of the stage's.
  TORCH_ARG(double, mlp_ratio) = 4.0;
  TORCH_ARG(bool, qkv_bias) = true;
  /// Added to the variance in the norms.
  TORCH_ARG(double, norm_eps) = 1e-5;
  /// Probabilities, in [0, 1), of dropping while training: an input of the head, an output of
  /// projection and MLP, an attention weight, the last block's branches (rising linearly from 0 at
  /// the first).
  TORCH_ARG(double, drop_rate) = 0.0;
  TORCH_ARG(double, proj_drop_rate) = 0.0;
  TORCH_ARG(double, attn_drop_rate) = 0.0;
  TORCH_ARG(double, drop_path_rate) = 0.1;
};

/// `base` with `overrides` put in. Throws UnknownNameError on a name that no option has,
/// c10::ValueError on a value of another kind.
VITRINE_API SwinTransformerOptions
apply(SwinTransformerOptions base, const ModelOptions& overrides);

/// Swin transformer: attention within windows that shift, over a map that halves from stage to
/// stage.
///
/// Shapes: images [B, in_chans, H, W]; features [B, H', W', C]; logits [B, K].
/// Source: Liu et al. (2021), "Swin Transformer", https://arxiv.org/abs/2103.14030; version 2: Liu
/// et al. (2022), "Swin Transformer V2", https://arxiv.org/abs/2111.09883; windows of each stage:
/// Chen et al. (2021), "Searching the Search Space of Vision Transformer",
/// https://arxiv.org/abs/2111.14725.
/// Throws c10::ValueError on an option or a shape outside the ranges above.
class VITRINE_API SwinTransformerImpl final : public CloneableClassifier<SwinTransformerImpl> {
 public:
  explicit SwinTransformerImpl(const SwinTransformerOptions& options_ = {});

  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward_features(const torch::Tensor& images) override;
  Intermediates forward_intermediates(
      const torch::Tensor& images, const IntermediatesOptions& options = {}) override;
  torch::Tensor forward_head(const torch::Tensor& features, bool pre_logits = false) override;
  void reset_classifier(int64_t num_classes) override;
  int64_t num_classes() const override { return options.num_classes(); }
  int64_t num_features() const override;
  int64_t in_chans() const override { return options.in_chans(); }
  std::vector<std::string> classifier_names() const override { return {"head.fc"}; }
  std::vector<std::vector<std::string>> layer_prefixes() const override;
  ModelOptions model_options() const override;

  SwinTransformerOptions options;
  PatchEmbed patch_embed{nullptr};
  torch::nn::Sequential layers{nullptr};  // of SwinStage
  torch::nn::LayerNorm norm{nullptr};
  ClassifierHead head{nullptr};
};
TORCH_MODULE(SwinTransformer);

}  // namespace vitrine
