#include "vitrine/train/freeze.h"

#include <torch/types.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/train/optimizer.h"

#include "models/small_models.h"

namespace vitrine {
namespace {

using Keys = std::vector<std::string>;

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

TEST(Freeze, EndsTheTrainingOfWhatAPatternNames) {
  VisionTransformer model(small_vit_options());
  const auto frozen = freeze(*model, {"cls_token", "blocks.0.norm?.*"});
  EXPECT_EQ(
      frozen,
      (Keys{
          "cls_token",
          "blocks.0.norm1.weight",
          "blocks.0.norm1.bias",
          "blocks.0.norm2.weight",
          "blocks.0.norm2.bias"}));
  for (const auto& item : model->named_parameters()) {
    const bool expected = std::find(frozen.begin(), frozen.end(), item.key()) == frozen.end();
    EXPECT_EQ(item.value().requires_grad(), expected) << item.key();
  }
}

TEST(Freeze, LeavesWhatAnInvertedPatternNames) {
  VisionTransformer model(small_vit_options());
  const auto frozen = freeze(*model, {"!head*"});
  for (const auto& item : model->named_parameters()) {
    EXPECT_EQ(item.value().requires_grad(), starts_with(item.key(), "head.")) << item.key();
  }
  EXPECT_EQ(frozen.size() + 2, model->named_parameters().size());
  EXPECT_THROW(freeze(*model, {"!haed*"}), UnknownNameError);
}

TEST(Freeze, OfNothingFreezesNothing) {
  VisionTransformer model(small_vit_options());
  EXPECT_TRUE(freeze(*model, {}).empty());
}

TEST(Freeze, RefusesAPatternThatMatchesNothingAndChangesNothing) {
  VisionTransformer model(small_vit_options());
  try {
    freeze(*model, {"blocks.*", "pos_embd"});
    FAIL() << "a pattern without a parameter was taken";
  } catch (const UnknownNameError& error) {
    EXPECT_NE(
        std::string(error.what()).find("'pos_embd'; the nearest: pos_embed"), std::string::npos)
        << error.what();
  }
  for (const auto& item : model->named_parameters()) {
    EXPECT_TRUE(item.value().requires_grad()) << item.key();
  }
}

/// An update in training; then every parameter and statistic that differs from before.
Keys changed_by_an_update(MobileVit& model) {
  model->train();
  const auto state = [&] {
    auto all = model->named_parameters();
    all.update(model->named_buffers());
    return all;
  };
  torch::OrderedDict<std::string, torch::Tensor> before;
  for (const auto& item : state()) {
    before.insert(item.key(), item.value().detach().clone());
  }
  Optimizer optimizer(*model, OptimizerOptions());
  model->forward(torch::randn({4, 3, 32, 32})).square().sum().backward();
  optimizer.step(0.1);
  Keys changed;
  for (const auto& item : state()) {
    if (!torch::equal(item.value(), before[item.key()])) {
      changed.push_back(item.key());
    }
  }
  return changed;
}

TEST(Freeze, KeepsParametersAndStatisticsThroughTraining) {
  torch::manual_seed(0);
  MobileVit model(small_mobilevit_options());
  freeze(*model, {"stem.*", "stages.0.*"});
  const auto changed = changed_by_an_update(model);
  for (const auto& key : changed) {
    EXPECT_FALSE(starts_with(key, "stem.") || starts_with(key, "stages.0.")) << key;
  }
  const auto has = [&](const char* key) {
    return std::find(changed.begin(), changed.end(), key) != changed.end();
  };
  EXPECT_TRUE(has("stages.1.0.conv1_1x1.bn.running_mean"));
  EXPECT_TRUE(has("stages.1.0.conv1_1x1.conv.weight"));
  EXPECT_TRUE(has("head.fc.weight"));
}

TEST(Freeze, MakesAFrozenPartGiveTheSameInTrainingAsInEvaluation) {
  torch::manual_seed(0);
  MobileVit model(small_mobilevit_options());
  freeze(*model, {"stem.*"});  // while in training: it takes effect at once
  const auto images = torch::randn({4, 3, 32, 32});
  const auto in_training = model->stem(images);
  model->eval();
  EXPECT_TRUE(torch::equal(model->stem(images), in_training));
}

TEST(Freeze, GoesWithAClone) {
  MobileVit model(small_mobilevit_options());
  freeze(*model, {"stem.*"});
  const auto copy = std::dynamic_pointer_cast<MobileVitImpl>(model->clone());
  EXPECT_FALSE(copy->stem->conv->weight.requires_grad());
  EXPECT_TRUE(copy->is_training());
  EXPECT_FALSE(copy->stem->bn->is_training());
}

}  // namespace
}  // namespace vitrine
