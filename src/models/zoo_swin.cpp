#include <utility>

#include "zoo.h"

namespace vitrine::detail {
namespace {

SwinTransformerOptions swin(
    int64_t dim, int64_t third_depth, int64_t window, int64_t side, double drop_path) {
  const auto heads = dim / 32;
  return SwinTransformerOptions()
      .embed_dim(dim)
      .depths({2, 2, third_depth, 2})
      .num_heads({heads, 2 * heads, 4 * heads, 8 * heads})
      .window_size(window)
      .img_size({side, side})
      .drop_path_rate(drop_path);
}

/// Windows of each stage, found by a search.
SwinTransformerOptions swin_s3(int64_t third_depth, std::vector<int64_t> windows) {
  return swin(96, third_depth, 7, 224, 0.1).window_size(std::move(windows));
}

SwinTransformerOptions swin_v2(
    int64_t dim, int64_t third_depth, int64_t window, int64_t side, double drop_path) {
  return swin(dim, third_depth, window, side, drop_path).version(2);
}

/// Pretrained with windows of 12, at 192 pixels: 6 where the last map was no larger.
SwinTransformerOptions pretrained(SwinTransformerOptions options) {
  return options.pretrained_window_sizes({12, 12, 12, 6});
}

std::vector<Entry> swins() {
  return {
      {"swin_tiny_patch4_window7_224", swin(96, 6, 7, 224, 0.2), imagenet(224), 28'288'354, 4.51},
      {"swin_small_patch4_window7_224", swin(96, 18, 7, 224, 0.3), imagenet(224), 49'606'258, 8.77},
      {"swin_base_patch4_window7_224",
       swin(128, 18, 7, 224, 0.5),
       imagenet(224),
       87'768'224,
       15.47},
      {"swin_base_patch4_window12_384",
       swin(128, 18, 12, 384, 0.5),
       imagenet(384, 1),
       87'903'584,
       47.19},
      {"swin_large_patch4_window7_224",
       swin(192, 18, 7, 224, 0.2),
       imagenet(224),
       196'532'476,
       34.53},
      {"swin_large_patch4_window12_384",
       swin(192, 18, 12, 384, 0.2),
       imagenet(384, 1),
       196'735'516,
       104.08},
      {"vitrine_swin_patch2_window4_32",
       swin(64, 2, 4, 32, 0).patch_size(2).depths({2, 4}).num_heads({2, 4}).num_classes(10),
       half(32, 1),
       929'822,
       0},
  };
}

std::vector<Entry> swin_s3s() {
  return {
      {"swin_s3_tiny_224", swin_s3(6, {7, 7, 14, 7}), imagenet(224), 28'328'674, 4.64},
      {"swin_s3_small_224", swin_s3(18, {14, 14, 14, 7}), imagenet(224), 49'737'298, 9.43},
      {"swin_s3_base_224", swin_s3(30, {7, 7, 14, 7}), imagenet(224), 71'125'762, 13.69},
  };
}

std::vector<Entry> swin_v2s() {
  return {
      {"swinv2_tiny_window8_256", swin_v2(96, 6, 8, 256, 0.2), imagenet(256), 28'347'154, 5.96},
      {"swinv2_tiny_window16_256", swin_v2(96, 6, 16, 256, 0.2), imagenet(256), 28'347'154, 6.68},
      {"swinv2_small_window8_256", swin_v2(96, 18, 8, 256, 0.3), imagenet(256), 49'728'418, 11.58},
      {"swinv2_small_window16_256",
       swin_v2(96, 18, 16, 256, 0.3),
       imagenet(256),
       49'728'418,
       12.82},
      {"swinv2_base_window8_256", swin_v2(128, 18, 8, 256, 0.5), imagenet(256), 87'918'816, 20.37},
      {"swinv2_base_window16_256",
       swin_v2(128, 18, 16, 256, 0.5),
       imagenet(256),
       87'918'816,
       22.02},
      {"swinv2_base_window12_192", swin_v2(128, 18, 12, 192, 0.2), imagenet(192), 87'918'816, 0},
      {"swinv2_base_window12to16_192to256",
       pretrained(swin_v2(128, 18, 16, 256, 0.2)),
       imagenet(256),
       87'918'816,
       22.02},
      {"swinv2_base_window12to24_192to384",
       pretrained(swin_v2(128, 18, 24, 384, 0.2)),
       imagenet(384, 1),
       87'918'816,
       55.25},
      {"swinv2_large_window12_192", swin_v2(192, 18, 12, 192, 0.2), imagenet(192), 196'739'932, 0},
      {"swinv2_large_window12to16_192to256",
       pretrained(swin_v2(192, 18, 16, 256, 0.2)),
       imagenet(256),
       196'739'932,
       47.81},
      {"swinv2_large_window12to24_192to384",
       pretrained(swin_v2(192, 18, 24, 384, 0.2)),
       imagenet(384, 1),
       196'739'932,
       116.15},
  };
}

}  // namespace

std::vector<Group> swin_groups() {
  return {
      {"swin", "Liu et al. (2021), Swin Transformer, arxiv.org/abs/2103.14030", swins()},
      {"swin",
       "Chen et al. (2021), Searching the Search Space of Vision Transformer, "
       "arxiv.org/abs/2111.14725",
       swin_s3s()},
      {"swin", "Liu et al. (2022), Swin Transformer V2, arxiv.org/abs/2111.09883", swin_v2s()},
  };
}

}  // namespace vitrine::detail
