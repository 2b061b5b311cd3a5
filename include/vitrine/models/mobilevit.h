#pragma once

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/layers/classifier_head.h"
#include "vitrine/layers/conv_block.h"
#include "vitrine/layers/mobilevit_block.h"
#include "vitrine/layers/mobilevit_v2_block.h"
#include "vitrine/models/cloneable_classifier.h"

namespace vitrine {

/// Options of `MobileVit`. The last stages, as many as `transformer_dims` has numbers, end in a
/// MobileViT block each.
struct MobileVitOptions {
  /// 1 or 2: of the MobileViT blocks, `MobileVitBlock` or `MobileVitV2Block`.
  TORCH_ARG(int64_t, version) = 1;
  TORCH_ARG(int64_t, in_chans) = 3;
  /// Classes of the head; 0 leaves it out.
  TORCH_ARG(int64_t, num_classes) = 1000;
  /// Channels and stride of the first convolution.
  TORCH_ARG(int64_t, stem_chans) = 16;
  TORCH_ARG(int64_t, stem_stride) = 2;
  /// Of each stage: channels, MobileNetV2 blocks, stride of the first of these.
  TORCH_ARG(std::vector<int64_t>, channels) = {32, 64, 96, 128, 160};
  TORCH_ARG(std::vector<int64_t>, blocks) = {1, 3, 1, 1, 1};
  TORCH_ARG(std::vector<int64_t>, strides) = {1, 2, 2, 2, 2};
  /// Channels inside a MobileNetV2 block, as a multiple of those that come in.
  TORCH_ARG(double, expansion) = 4.0;
  /// Of each MobileViT block: channels of a token, transformer blocks.
  TORCH_ARG(std::vector<int64_t>, transformer_dims) = {144, 192, 240};
  TORCH_ARG(std::vector<int64_t>, transformer_depths) = {2, 4, 3};
  /// Of version 1.
  TORCH_ARG(int64_t, num_heads) = 4;
  /// Side of a patch, in pixels of the map.
  TORCH_ARG(int64_t, patch_size) = 2;
  /// Channels of a last convolution, which the head sees; 0 leaves it out.
  TORCH_ARG(int64_t, head_chans) = 640;
  /// Probabilities, in [0, 1), of dropping while training: an input of the head, an output of
  /// projection and MLP, an attention weight, the last block's branches (rising linearly from 0 at
  /// the first).
  TORCH_ARG(double, drop_rate) = 0.0;
  TORCH_ARG(double, proj_drop_rate) = 0.0;
  TORCH_ARG(double, attn_drop_rate) = 0.0;
  TORCH_ARG(double, drop_path_rate) = 0.0;
};

/// `base` with `overrides` put in. Throws UnknownNameError on a name that no option has,
/// c10::ValueError on a value of another kind.
VITRINE_API MobileVitOptions apply(MobileVitOptions base, const ModelOptions& overrides);

/// MobileViT: MobileNetV2 blocks, and MobileViT blocks in the last stages.
///
/// Shapes: images [B, in_chans, H, W] of any size; features [B, C, H', W']; logits [B, K].
/// Source: Mehta & Rastegari (2021), "MobileViT", https://arxiv.org/abs/2110.02178; version 2:
/// Mehta & Rastegari (2022), "Separable Self-attention for Mobile Vision Transformers",
/// https://arxiv.org/abs/2206.02680.
/// Throws c10::ValueError on an option or a shape outside the ranges above.
class VITRINE_API MobileVitImpl final : public CloneableClassifier<MobileVitImpl> {
 public:
  explicit MobileVitImpl(const MobileVitOptions& options_ = {});

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

  MobileVitOptions options;
  ConvNormAct stem{nullptr};
  torch::nn::ModuleList stages{nullptr};  // of Sequential of InvertedResidual, MobileViT block last
  ConvNormAct final_conv{nullptr};        // only with head_chans
  ClassifierHead head{nullptr};

 private:
  void check_images(const torch::Tensor& images) const;
  void push_transformer(torch::nn::Sequential& stage, size_t i, int64_t chans, double drop_path);
};
TORCH_MODULE(MobileVit);

}  // namespace vitrine
