#include "vitrine/models/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "vitrine/error.h"
#include "vitrine/models/mobilevit.h"
#include "vitrine/models/swin.h"
#include "vitrine/models/vit.h"

namespace vitrine {
namespace {

using Names = std::vector<std::string>;

std::string error_of(const std::string& name) {
  try {
    create_model(name);
  } catch (const UnknownNameError& error) {
    return error.what();
  }
  return "[no error]";
}

TEST(Registry, ListsWhatMatches) {
  EXPECT_EQ(list_models("mobilevit_*"), (Names{"mobilevit_xxs", "mobilevit_xs", "mobilevit_s"}));
  EXPECT_EQ(
      list_models("vit_tiny_patch16_???"), (Names{"vit_tiny_patch16_224", "vit_tiny_patch16_384"}));
  EXPECT_TRUE(list_models("resnet*").empty());
  EXPECT_EQ(list_models(), list_models("*"));
}

TEST(Registry, NamesEachModelOnce) {
  const auto names = list_models();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(Registry, AnswersAnUnknownNameWithTheNearest) {
  EXPECT_PRED_FORMAT2(
      testing::IsSubstring, "vit_tiny_patch16_224", error_of("vit_tiny_patch16_244"));
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "mobilevit_xxs", error_of("mobilevit-xxs"));
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "unknown model ''", error_of(""));
  // No part of a name stands for the whole.
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "unknown model 'vit'", error_of("vit"));
  EXPECT_THROW(find_card("vit"), UnknownNameError);
}

TEST(Registry, BuildsTheFamilyThatTheCardNames) {
  const auto vit = create_model("vitrine_vit_patch4_32");
  const auto swin = create_model("vitrine_swin_patch2_window4_32");
  const auto mobilevit = create_model("vitrine_mobilevit_32");
  EXPECT_NE(dynamic_cast<VisionTransformerImpl*>(vit.get()), nullptr);
  EXPECT_NE(dynamic_cast<SwinTransformerImpl*>(swin.get()), nullptr);
  EXPECT_NE(dynamic_cast<MobileVitImpl*>(mobilevit.get()), nullptr);
  EXPECT_EQ(find_card("vitrine_vit_patch4_32").family, "vit");
  EXPECT_EQ(find_card("vitrine_swin_patch2_window4_32").family, "swin");
  EXPECT_EQ(find_card("vitrine_mobilevit_32").family, "mobilevit");
  EXPECT_TRUE(vit->is_training());
}

TEST(Registry, GivesEachModelTheImageSizeThatItTakes) {
  for (const auto& name : list_models()) {
    const auto card = find_card(name);
    EXPECT_EQ(card.architecture, name);
    EXPECT_FALSE(card.paper.empty()) << name;
    EXPECT_GT(card.parameters, 0) << name;
    EXPECT_EQ(card.preprocess.height(), card.preprocess.width()) << name;
    // The side stands at the end of a ViT's or a Swin's name.
    const auto side = name.substr(name.rfind('_') + 1);
    const bool told = name.rfind("mobilevit", 0) != 0;  // whose names end in a width
    if (told &&
        std::all_of(side.begin(), side.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      EXPECT_EQ(std::to_string(card.preprocess.height()), side) << name;
    }
  }
}

TEST(Registry, GivesTimmsPreprocessing) {
  using Triple = std::array<double, 3>;
  const Triple half = {0.5, 0.5, 0.5};
  const Triple imagenet = {0.485, 0.456, 0.406};
  const auto expect = [](const char* name, int64_t side, double crop, const Triple& mean) {
    const auto preprocess = find_card(name).preprocess;
    EXPECT_EQ(preprocess.height(), side) << name;
    EXPECT_EQ(preprocess.crop_pct(), crop) << name;
    EXPECT_EQ(preprocess.mean(), mean) << name;
    EXPECT_EQ(preprocess.interpolation(), Interpolation::Bicubic) << name;
  };
  expect("vit_base_patch16_224", 224, 0.9, half);
  expect("vit_base_patch16_384", 384, 1.0, half);
  expect("test_vit", 160, 0.95, half);
  expect("swin_tiny_patch4_window7_224", 224, 0.9, imagenet);
  expect("swin_base_patch4_window12_384", 384, 1.0, imagenet);
  expect("mobilevit_s", 256, 0.9, Triple{0, 0, 0});
  expect("deit_base_patch16_384", 384, 1.0, imagenet);
  expect("vit_small_patch8_224", 224, 0.9, imagenet);
  expect("vit_small_patch14_dinov2", 518, 1.0, imagenet);
  expect("swinv2_base_window12to24_192to384", 384, 1.0, imagenet);
  expect("mobilevitv2_100", 256, 0.888, Triple{0, 0, 0});
  EXPECT_EQ(find_card("mobilevit_s").preprocess.std(), (Triple{1, 1, 1}));
  EXPECT_EQ(
      find_card("swin_tiny_patch4_window7_224").preprocess.std(), (Triple{0.229, 0.224, 0.225}));
}

TEST(Registry, KnowsNamesOfOtherLibraries) {
  const auto expect = [](const char* alias, const char* name) {
    EXPECT_EQ(find_card(alias).architecture, name) << alias;
  };
  expect("vit_b_16", "vit_base_patch16_224");
  expect("swin_v2_t", "swinv2_tiny_window8_256");
  expect("google/vit-base-patch16-224", "vit_base_patch16_224");
  expect("facebook/deit-tiny-distilled-patch16-224", "deit_tiny_distilled_patch16_224");
  expect("facebook/dino-vits8", "vit_small_patch8_224");
  expect("facebook/dinov2-with-registers-giant", "vit_giant_patch14_reg4_dinov2");
  expect("microsoft/swin-tiny-patch4-window7-224", "swin_tiny_patch4_window7_224");
  expect(
      "microsoft/swinv2-large-patch4-window12to24-192to384-22kto1k-ft",
      "swinv2_large_window12to24_192to384");
  expect("apple/mobilevitv2-1.0-imagenet1k-256", "mobilevitv2_100");
  EXPECT_EQ(create_model("apple/mobilevit-xx-small")->num_classes(), 1000);
  // Names that the zoo lists are timm's alone.
  EXPECT_TRUE(list_models("vit_b_16").empty());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "swin_v2_t", error_of("swin_v2-t"));
}

TEST(Registry, KnowsTagsOfTimmsWeights) {
  EXPECT_EQ(
      find_card("timm/vit_base_patch16_224.augreg2_in21k_ft_in1k").architecture,
      "vit_base_patch16_224");
  EXPECT_EQ(find_card("vit_small_patch8_224.dino").architecture, "vit_small_patch8_224");
  EXPECT_EQ(find_card("vit_small_patch14_dinov2.lvd142m").family, "vit");
  // Some tags are models of their own, without a head or of another size.
  EXPECT_EQ(find_card("vit_base_patch16_224.dino").architecture, "vit_base_patch16_224.dino");
  EXPECT_EQ(create_model("vit_small_patch16_224.dino")->num_classes(), 0);
  EXPECT_EQ(find_card("mobilevitv2_150.cvnets_in22k_ft_in1k_384").preprocess.height(), 384);
  EXPECT_EQ(find_card("mobilevitv2_150.cvnets_in22k_ft_in1k").preprocess.height(), 256);
  // Weights that want something else are not guessed at.
  for (const auto* name :
       {"vit_base_patch16_224.mae", "vit_base_patch16_224.augreg_in21k", "deit_tiny.fb_in1k"}) {
    EXPECT_THROW(find_card(name), UnknownNameError) << name;
  }
}

TEST(Registry, PreprocessesAsTheWeightsOfTheNameWant) {
  const std::array<double, 3> imagenet = {0.485, 0.456, 0.406};
  const auto expect = [&](const char* name, int64_t side, int64_t resize, Interpolation filter) {
    const auto preprocess = find_card(name).preprocess;
    EXPECT_EQ(preprocess.height(), side) << name;
    EXPECT_EQ(std::floor(static_cast<double>(side) / preprocess.crop_pct()), resize) << name;
    EXPECT_EQ(preprocess.interpolation(), filter) << name;
    EXPECT_EQ(preprocess.mean(), imagenet) << name;
  };
  expect("vit_b_16", 224, 256, Interpolation::Bilinear);
  expect("vit_b_32", 224, 256, Interpolation::Bilinear);
  expect("vit_l_16", 224, 242, Interpolation::Bilinear);
  expect("vit_l_32", 224, 256, Interpolation::Bilinear);
  expect("vit_h_14", 224, 224, Interpolation::Bicubic);
  expect("swin_t", 224, 232, Interpolation::Bicubic);
  expect("swin_s", 224, 246, Interpolation::Bicubic);
  expect("swin_b", 224, 238, Interpolation::Bicubic);
  expect("swin_v2_t", 256, 260, Interpolation::Bicubic);
  expect("swin_v2_s", 256, 260, Interpolation::Bicubic);
  expect("swin_v2_b", 256, 272, Interpolation::Bicubic);
  expect("deit3_small_patch16_224.fb_in22k_ft_in1k", 224, 224, Interpolation::Bicubic);
}

TEST(Registry, NamesThePaperOfEachModel) {
  const auto expect = [](const char* name, const char* paper) {
    EXPECT_PRED_FORMAT2(testing::IsSubstring, paper, find_card(name).paper);
  };
  expect("deit_tiny_distilled_patch16_224", "2012.12877");
  expect("deit3_base_patch16_224", "2204.07118");
  expect("vit_base_patch8_224.dino", "2104.14294");
  expect("vit_base_patch14_dinov2", "2304.07193");
  expect("swin_s3_tiny_224", "2111.14725");
  expect("swinv2_tiny_window8_256", "2111.09883");
  expect("mobilevitv2_100", "2206.02680");
}

TEST(Registry, GivesThePublishedCost) {
  EXPECT_EQ(find_card("vit_base_patch16_224").gmacs, 17.58);
  EXPECT_EQ(find_card("swin_small_patch4_window7_224").gmacs, 8.77);
  EXPECT_EQ(find_card("mobilevit_xs").gmacs, 1.05);
}

}  // namespace
}  // namespace vitrine
