#include "vitrine/models/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
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
    if (std::all_of(side.begin(), side.end(), [](char c) { return c >= '0' && c <= '9'; })) {
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
  EXPECT_EQ(find_card("mobilevit_s").preprocess.std(), (Triple{1, 1, 1}));
  EXPECT_EQ(
      find_card("swin_tiny_patch4_window7_224").preprocess.std(), (Triple{0.229, 0.224, 0.225}));
}

TEST(Registry, GivesThePublishedCost) {
  EXPECT_EQ(find_card("vit_base_patch16_224").gmacs, 17.58);
  EXPECT_EQ(find_card("swin_small_patch4_window7_224").gmacs, 8.77);
  EXPECT_EQ(find_card("mobilevit_xs").gmacs, 1.05);
}

}  // namespace
}  // namespace vitrine
