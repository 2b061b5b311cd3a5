#include "zoo.h"

namespace vitrine::detail {
namespace {

VisionTransformerOptions vit(
    int64_t dim, int64_t depth, int64_t heads, int64_t patch, int64_t side) {
  return VisionTransformerOptions()
      .embed_dim(dim)
      .depth(depth)
      .num_heads(heads)
      .patch_size(patch)
      .img_size({side, side});
}

VisionTransformerOptions headless(
    int64_t dim, int64_t depth, int64_t heads, int64_t patch, int64_t side) {
  return vit(dim, depth, heads, patch, side).num_classes(0);
}

VisionTransformerOptions deit3(
    int64_t dim, int64_t depth, int64_t heads, int64_t patch, int64_t side) {
  return vit(dim, depth, heads, patch, side).init_values(1e-6).no_embed_class(true);
}

VisionTransformerOptions dinov2(int64_t dim, int64_t depth, int64_t heads) {
  return headless(dim, depth, heads, 14, 518).init_values(1e-5);
}

/// Of the giant one: 2 * 4096 channels inside, half of which gate the others.
VisionTransformerOptions swiglu(VisionTransformerOptions options) {
  return options.mlp_layer("swiglu").mlp_ratio(2.66667 * 2);
}

VisionTransformerOptions registers(VisionTransformerOptions options) {
  return options.reg_tokens(4).no_embed_class(true);
}

VisionTransformerOptions simple(VisionTransformerOptions options) {
  return options.pos_embed("sincos2d").class_token(false).global_pool("avg").fc_norm(false);
}

std::vector<Entry> vits() {
  return {
      {"vit_tiny_patch16_224", vit(192, 12, 3, 16, 224), half(224), 5'717'416, 1.26},
      {"vit_tiny_patch16_384", vit(192, 12, 3, 16, 384), half(384, 1), 5'790'376, 4.70},
      {"vit_small_patch32_224", vit(384, 12, 6, 32, 224), half(224), 22'878'952, 1.15},
      {"vit_small_patch32_384", vit(384, 12, 6, 32, 384), half(384, 1), 22'915'432, 0},
      {"vit_small_patch16_224", vit(384, 12, 6, 16, 224), half(224), 22'050'664, 4.61},
      {"vit_small_patch16_384", vit(384, 12, 6, 16, 384), half(384, 1), 22'196'584, 15.52},
      {"vit_base_patch32_224", vit(768, 12, 12, 32, 224), half(224), 88'224'232, 4.41},
      {"vit_base_patch32_384", vit(768, 12, 12, 32, 384), half(384, 1), 88'297'192, 0},
      {"vit_base_patch16_224", vit(768, 12, 12, 16, 224), half(224), 86'567'656, 17.58},
      {"vit_base_patch16_384", vit(768, 12, 12, 16, 384), half(384, 1), 86'859'496, 55.54},
      {"vit_base_patch8_224", vit(768, 12, 12, 8, 224), half(224), 86'576'872, 78.22},
      {"vit_large_patch32_224", vit(1024, 24, 16, 32, 224), half(224), 306'535'400, 0},
      {"vit_large_patch32_384", vit(1024, 24, 16, 32, 384), half(384, 1), 306'632'680, 0},
      {"vit_large_patch16_224", vit(1024, 24, 16, 16, 224), half(224), 304'326'632, 61.60},
      {"vit_large_patch16_384", vit(1024, 24, 16, 16, 384), half(384, 1), 304'715'752, 191.21},
      {"vit_huge_patch14_224", vit(1280, 32, 16, 14, 224), half(224), 632'045'800, 167.40},
      {"vit_giant_patch14_224",
       vit(1408, 40, 16, 14, 224).mlp_ratio(48.0 / 11),
       half(224),
       1'012'611'432,
       267.18},
      {"vit_gigantic_patch14_224",
       vit(1664, 48, 16, 14, 224).mlp_ratio(64.0 / 13),
       half(224),
       1'844'440'680,
       0},
      {"test_vit",
       vit(64, 6, 2, 16, 160).mlp_ratio(3).dynamic_img_size(true),
       half(160, 0.95),
       371'240,
       0},
      {"vitrine_vit_patch4_32", vit(64, 4, 4, 4, 32).num_classes(10), half(32, 1), 208'074, 0},
  };
}

std::vector<Entry> deits() {
  return {
      {"deit_tiny_patch16_224", vit(192, 12, 3, 16, 224), imagenet(224), 5'717'416, 1.26},
      {"deit_small_patch16_224", vit(384, 12, 6, 16, 224), imagenet(224), 22'050'664, 4.61},
      {"deit_base_patch16_224", vit(768, 12, 12, 16, 224), imagenet(224), 86'567'656, 17.58},
      {"deit_base_patch16_384", vit(768, 12, 12, 16, 384), imagenet(384, 1), 86'859'496, 55.54},
      {"deit_tiny_distilled_patch16_224",
       vit(192, 12, 3, 16, 224).distilled(true),
       imagenet(224),
       5'910'800,
       1.27},
      {"deit_small_distilled_patch16_224",
       vit(384, 12, 6, 16, 224).distilled(true),
       imagenet(224),
       22'436'432,
       4.63},
      {"deit_base_distilled_patch16_224",
       vit(768, 12, 12, 16, 224).distilled(true),
       imagenet(224),
       87'338'192,
       17.68},
      {"deit_base_distilled_patch16_384",
       vit(768, 12, 12, 16, 384).distilled(true),
       imagenet(384, 1),
       87'630'032,
       55.65},
  };
}

std::vector<Entry> deit3s() {
  return {
      {"deit3_small_patch16_224", deit3(384, 12, 6, 16, 224), imagenet(224), 22'059'496, 4.61},
      {"deit3_small_patch16_384", deit3(384, 12, 6, 16, 384), imagenet(384, 1), 22'205'416, 15.52},
      {"deit3_medium_patch16_224", deit3(512, 12, 8, 16, 224), imagenet(224), 38'849'512, 8.00},
      {"deit3_base_patch16_224", deit3(768, 12, 12, 16, 224), imagenet(224), 86'585'320, 17.58},
      {"deit3_base_patch16_384", deit3(768, 12, 12, 16, 384), imagenet(384, 1), 86'877'160, 55.54},
      {"deit3_large_patch16_224", deit3(1024, 24, 16, 16, 224), imagenet(224), 304'374'760, 61.60},
      {"deit3_large_patch16_384",
       deit3(1024, 24, 16, 16, 384),
       imagenet(384, 1),
       304'763'880,
       191.21},
      {"deit3_huge_patch14_224", deit3(1280, 32, 16, 14, 224), imagenet(224), 632'126'440, 167.40},
  };
}

std::vector<Entry> dinos() {
  return {
      {"vit_small_patch16_224.dino",
       headless(384, 12, 6, 16, 224),
       imagenet(224),
       21'665'664,
       4.61},
      {"vit_small_patch8_224", headless(384, 12, 6, 8, 224), imagenet(224), 21'670'272, 22.44},
      {"vit_base_patch16_224.dino",
       headless(768, 12, 12, 16, 224),
       imagenet(224),
       85'798'656,
       17.58},
      {"vit_base_patch8_224.dino", headless(768, 12, 12, 8, 224), imagenet(224), 85'807'872, 78.22},
  };
}

std::vector<Entry> dinov2s() {
  return {
      {"vit_small_patch14_dinov2", dinov2(384, 12, 6), imagenet(518, 1), 22'056'192, 46.76},
      {"vit_base_patch14_dinov2", dinov2(768, 12, 12), imagenet(518, 1), 86'579'712, 151.71},
      {"vit_large_patch14_dinov2", dinov2(1024, 24, 16), imagenet(518, 1), 304'367'616, 507.15},
      {"vit_giant_patch14_dinov2",
       swiglu(dinov2(1536, 40, 24)),
       imagenet(518, 1),
       1'136'479'232,
       1784.20},
  };
}

std::vector<Entry> dinov2s_with_registers() {
  return {
      {"vit_small_patch14_reg4_dinov2",
       registers(dinov2(384, 12, 6)),
       imagenet(518, 1),
       22'057'344,
       46.95},
      {"vit_base_patch14_reg4_dinov2",
       registers(dinov2(768, 12, 12)),
       imagenet(518, 1),
       86'582'016,
       152.25},
      {"vit_large_patch14_reg4_dinov2",
       registers(dinov2(1024, 24, 16)),
       imagenet(518, 1),
       304'370'688,
       508.90},
      {"vit_giant_patch14_reg4_dinov2",
       registers(swiglu(dinov2(1536, 40, 24))),
       imagenet(518, 1),
       1'136'483'840,
       1790.08},
  };
}

std::vector<Entry> simple_vits() {
  return {
      {"simple_vit_small_patch16_224",
       simple(vit(384, 12, 6, 16, 224)),
       half(224),
       21'974'632,
       4.58},
  };
}

}  // namespace

std::vector<Group> vit_groups() {
  return {
      {"vit",
       "Dosovitskiy et al. (2020), An Image is Worth 16x16 Words, arxiv.org/abs/2010.11929",
       vits()},
      {"vit",
       "Touvron et al. (2020), Training data-efficient image transformers, "
       "arxiv.org/abs/2012.12877",
       deits()},
      {"vit", "Touvron et al. (2022), DeiT III, arxiv.org/abs/2204.07118", deit3s()},
      {"vit",
       "Caron et al. (2021), Emerging Properties in Self-Supervised Vision Transformers, "
       "arxiv.org/abs/2104.14294",
       dinos()},
      {"vit", "Oquab et al. (2023), DINOv2, arxiv.org/abs/2304.07193", dinov2s()},
      {"vit",
       "Darcet et al. (2023), Vision Transformers Need Registers, arxiv.org/abs/2309.16588",
       dinov2s_with_registers()},
      {"vit",
       "Beyer et al. (2022), Better plain ViT baselines for ImageNet-1k, arxiv.org/abs/2205.01580",
       simple_vits()},
  };
}

}  // namespace vitrine::detail
