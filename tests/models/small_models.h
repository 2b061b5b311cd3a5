#pragma once

#include <torch/utils.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/models/mobilevit.h"
#include "vitrine/models/swin.h"
#include "vitrine/models/vit.h"

namespace vitrine {

/// A ViT of 16 patches of 8x8 in an image of 32x32, for 5 classes.
inline VisionTransformerOptions small_vit_options() {
  return VisionTransformerOptions()
      .img_size({32, 32})
      .patch_size(8)
      .embed_dim(16)
      .depth(2)
      .num_heads(2)
      .num_classes(5);
}

/// A Swin of two stages, of 8x8 and 4x4 tokens, with windows of 4x4, for 5 classes.
inline SwinTransformerOptions small_swin_options() {
  return SwinTransformerOptions()
      .img_size({32, 32})
      .embed_dim(8)
      .depths({2, 2})
      .num_heads({1, 2})
      .window_size(4)
      .drop_path_rate(0)
      .num_classes(5);
}

/// The same of version 2. It starts as the identity; its norms are woken, as by training.
inline SwinTransformer small_swin_v2() {
  SwinTransformer model(small_swin_options().version(2));
  const torch::NoGradGuard no_grad;
  for (const auto& item : model->named_parameters()) {
    const auto& key = item.key();
    if (key.find(".norm") != std::string::npos && key.find(".weight") != std::string::npos) {
      item.value().fill_(1);
    }
  }
  return model;
}

/// A MobileViT of two stages, the second with a MobileViT block, for 5 classes.
inline MobileVitOptions small_mobilevit_options() {
  return MobileVitOptions()
      .stem_chans(8)
      .channels({8, 16})
      .blocks({1, 1})
      .strides({1, 2})
      .transformer_dims({16})
      .transformer_depths({1})
      .head_chans(32)
      .num_classes(5);
}

/// A ViT with the options of DeiT III and DINOv2: factors, registers, gated MLPs.
inline VisionTransformerOptions small_dinov2_options() {
  return small_vit_options().reg_tokens(3).no_embed_class(true).init_values(0.1).mlp_layer(
      "swiglu");
}

/// A ViT with the options of vit-pytorch's SimpleViT.
inline VisionTransformerOptions small_simple_vit_options() {
  return small_vit_options()
      .pos_embed("sincos2d")
      .class_token(false)
      .global_pool("avg")
      .fc_norm(false)
      .dual_patch_norm(true)
      .qkv_bias(false)
      .proj_bias(false);
}

inline SwinStageImpl& swin_stage(const SwinTransformer& model, size_t i) {
  return model.ptr()->layers->at<SwinStageImpl>(i);
}

inline SwinBlockImpl& swin_block(const SwinTransformer& model, size_t i, size_t j) {
  return swin_stage(model, i).blocks->at<SwinBlockImpl>(j);
}

inline torch::nn::SequentialImpl& mobilevit_stage(const MobileVitImpl& model, size_t i) {
  return *model.stages->ptr(i)->as<torch::nn::Sequential>();
}

/// What a norm without factors makes of the last dimension of `x`.
inline torch::Tensor normalised(const torch::Tensor& x) {
  return torch::layer_norm(x, {x.size(-1)}, {}, {}, 1e-6);
}

/// [count, 3, 32, 32], always the same.
inline torch::Tensor images(int64_t count = 2) {
  torch::manual_seed(1);
  return torch::randn({count, 3, 32, 32});
}

/// One small model of each family, by name, for images of 3x32x32.
inline std::vector<std::pair<std::string, std::shared_ptr<Classifier>>> small_models() {
  return {
      {"vit", VisionTransformer(small_vit_options()).ptr()},
      {"swin", SwinTransformer(small_swin_options()).ptr()},
      {"mobilevit", MobileVit(small_mobilevit_options()).ptr()},
      {"deit", VisionTransformer(small_vit_options().distilled(true)).ptr()},
      {"dinov2", VisionTransformer(small_dinov2_options()).ptr()},
      {"simple_vit", VisionTransformer(small_simple_vit_options()).ptr()},
      {"swin_v2", small_swin_v2().ptr()},
      {"mobilevit_v2", MobileVit(small_mobilevit_options().version(2).head_chans(0)).ptr()},
  };
}

}  // namespace vitrine
