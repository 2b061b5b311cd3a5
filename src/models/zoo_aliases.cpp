#include "zoo.h"

namespace vitrine::detail {
namespace {

/// Preprocessing of torchvision's weights: the shorter side to `resize`, then the middle `side`.
PreprocessOptions torchvision(
    int64_t side, int64_t resize, Interpolation interpolation = Interpolation::Bicubic) {
  // The crop's share, a little larger: rounded down, it gives back the very side.
  const auto share = static_cast<double>(side) / (static_cast<double>(resize) + 0.01);
  return imagenet(side, resize == side ? 1 : share).interpolation(interpolation);
}

}  // namespace

const std::vector<Alias>& aliases() {
  static const std::vector<Alias> table = {
      // torchvision; ViT-H/14 as it stands for the linear weights at 224 pixels.
      {"vit_b_16", "vit_base_patch16_224", torchvision(224, 256, Interpolation::Bilinear)},
      {"vit_b_32", "vit_base_patch32_224", torchvision(224, 256, Interpolation::Bilinear)},
      {"vit_l_16", "vit_large_patch16_224", torchvision(224, 242, Interpolation::Bilinear)},
      {"vit_l_32", "vit_large_patch32_224", torchvision(224, 256, Interpolation::Bilinear)},
      {"vit_h_14", "vit_huge_patch14_224", torchvision(224, 224)},
      {"swin_t", "swin_tiny_patch4_window7_224", torchvision(224, 232)},
      {"swin_s", "swin_small_patch4_window7_224", torchvision(224, 246)},
      {"swin_b", "swin_base_patch4_window7_224", torchvision(224, 238)},
      {"swin_v2_t", "swinv2_tiny_window8_256", torchvision(256, 260)},
      {"swin_v2_s", "swinv2_small_window8_256", torchvision(256, 260)},
      {"swin_v2_b", "swinv2_base_window8_256", torchvision(256, 272)},
      // timm's, where weights want another preprocessing than the model's other ones.
      {"deit3_small_patch16_224.fb_in22k_ft_in1k", "deit3_small_patch16_224", imagenet(224, 1)},
      {"deit3_medium_patch16_224.fb_in22k_ft_in1k", "deit3_medium_patch16_224", imagenet(224, 1)},
      {"deit3_base_patch16_224.fb_in22k_ft_in1k", "deit3_base_patch16_224", imagenet(224, 1)},
      {"deit3_large_patch16_224.fb_in22k_ft_in1k", "deit3_large_patch16_224", imagenet(224, 1)},
      {"deit3_huge_patch14_224.fb_in22k_ft_in1k", "deit3_huge_patch14_224", imagenet(224, 1)},
      // Hugging Face.
      {"google/vit-base-patch16-224", "vit_base_patch16_224"},
      {"google/vit-base-patch16-384", "vit_base_patch16_384"},
      {"google/vit-base-patch32-384", "vit_base_patch32_384"},
      {"google/vit-large-patch16-224", "vit_large_patch16_224"},
      {"google/vit-large-patch16-384", "vit_large_patch16_384"},
      {"google/vit-large-patch32-384", "vit_large_patch32_384"},
      {"facebook/deit-tiny-patch16-224", "deit_tiny_patch16_224"},
      {"facebook/deit-small-patch16-224", "deit_small_patch16_224"},
      {"facebook/deit-base-patch16-224", "deit_base_patch16_224"},
      {"facebook/deit-base-patch16-384", "deit_base_patch16_384"},
      {"facebook/deit-tiny-distilled-patch16-224", "deit_tiny_distilled_patch16_224"},
      {"facebook/deit-small-distilled-patch16-224", "deit_small_distilled_patch16_224"},
      {"facebook/deit-base-distilled-patch16-224", "deit_base_distilled_patch16_224"},
      {"facebook/deit-base-distilled-patch16-384", "deit_base_distilled_patch16_384"},
      {"facebook/dino-vits16", "vit_small_patch16_224.dino"},
      {"facebook/dino-vits8", "vit_small_patch8_224"},
      {"facebook/dino-vitb16", "vit_base_patch16_224.dino"},
      {"facebook/dino-vitb8", "vit_base_patch8_224.dino"},
      {"facebook/dinov2-small", "vit_small_patch14_dinov2"},
      {"facebook/dinov2-base", "vit_base_patch14_dinov2"},
      {"facebook/dinov2-large", "vit_large_patch14_dinov2"},
      {"facebook/dinov2-giant", "vit_giant_patch14_dinov2"},
      {"facebook/dinov2-with-registers-small", "vit_small_patch14_reg4_dinov2"},
      {"facebook/dinov2-with-registers-base", "vit_base_patch14_reg4_dinov2"},
      {"facebook/dinov2-with-registers-large", "vit_large_patch14_reg4_dinov2"},
      {"facebook/dinov2-with-registers-giant", "vit_giant_patch14_reg4_dinov2"},
      {"microsoft/swin-tiny-patch4-window7-224", "swin_tiny_patch4_window7_224"},
      {"microsoft/swin-small-patch4-window7-224", "swin_small_patch4_window7_224"},
      {"microsoft/swin-base-patch4-window7-224", "swin_base_patch4_window7_224"},
      {"microsoft/swin-base-patch4-window12-384", "swin_base_patch4_window12_384"},
      {"microsoft/swin-large-patch4-window7-224", "swin_large_patch4_window7_224"},
      {"microsoft/swin-large-patch4-window12-384", "swin_large_patch4_window12_384"},
      {"microsoft/swinv2-tiny-patch4-window8-256", "swinv2_tiny_window8_256"},
      {"microsoft/swinv2-tiny-patch4-window16-256", "swinv2_tiny_window16_256"},
      {"microsoft/swinv2-small-patch4-window8-256", "swinv2_small_window8_256"},
      {"microsoft/swinv2-small-patch4-window16-256", "swinv2_small_window16_256"},
      {"microsoft/swinv2-base-patch4-window8-256", "swinv2_base_window8_256"},
      {"microsoft/swinv2-base-patch4-window16-256", "swinv2_base_window16_256"},
      {"microsoft/swinv2-base-patch4-window12-192-22k", "swinv2_base_window12_192"},
      {"microsoft/swinv2-base-patch4-window12to16-192to256-22kto1k-ft",
       "swinv2_base_window12to16_192to256"},
      {"microsoft/swinv2-base-patch4-window12to24-192to384-22kto1k-ft",
       "swinv2_base_window12to24_192to384"},
      {"microsoft/swinv2-large-patch4-window12-192-22k", "swinv2_large_window12_192"},
      {"microsoft/swinv2-large-patch4-window12to16-192to256-22kto1k-ft",
       "swinv2_large_window12to16_192to256"},
      {"microsoft/swinv2-large-patch4-window12to24-192to384-22kto1k-ft",
       "swinv2_large_window12to24_192to384"},
      {"apple/mobilevit-xx-small", "mobilevit_xxs"},
      {"apple/mobilevit-x-small", "mobilevit_xs"},
      {"apple/mobilevit-small", "mobilevit_s"},
      {"apple/mobilevitv2-1.0-imagenet1k-256", "mobilevitv2_100"},
  };
  return table;
}

const std::vector<const char*>& plain_tags() {
  static const std::vector<const char*> tags = {
      "augreg_in1k",
      "augreg_in21k_ft_in1k",
      "augreg2_in21k_ft_in1k",
      "orig_in21k_ft_in1k",
      "sam_in1k",
      "r160_in1k",
      "fb_in1k",
      "fb_in22k_ft_in1k",
      "dino",
      "lvd142m",
      "ms_in1k",
      "ms_in22k_ft_in1k",
      "cvnets_in1k",
      "cvnets_in22k_ft_in1k",
  };
  return tags;
}

}  // namespace vitrine::detail
