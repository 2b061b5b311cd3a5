#pragma once

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

/// One small model of each family, by name, for images of 3x32x32.
inline std::vector<std::pair<std::string, std::shared_ptr<Classifier>>> small_models() {
  return {
      {"vit", VisionTransformer(small_vit_options()).ptr()},
      {"swin", SwinTransformer(small_swin_options()).ptr()},
      {"mobilevit", MobileVit(small_mobilevit_options()).ptr()},
  };
}

}  // namespace vitrine
