#include "vitrine/train/layer_decay.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

#include "models/inside_models.h"
#include "support/value_error.h"
#include "train/small_model.h"

namespace vitrine {
namespace {

TEST(LayerDecay, GivesTimmsFactors) {
  // Of parameters of one module that all have the same, the file names one.
  std::ifstream file(VITRINE_TEST_DATA "/golden/layer_decay.json");
  const auto golden = nlohmann::json::parse(file);
  ASSERT_GE(golden.size(), 10U);
  for (const auto& [model, factors] : golden.items()) {
    const auto scales = layer_lr_scales(*inside_model(model), 0.5);
    for (const auto& [key, factor] : factors.items()) {
      ASSERT_EQ(scales.count(key), 1U) << model << " " << key;
      EXPECT_EQ(scales.at(key), factor.get<double>()) << model << " " << key;
    }
    for (const auto& [key, scale] : scales) {
      const auto module = key.substr(0, key.rfind('.'));
      bool named = false;
      for (const auto& item : factors.items()) {
        named = named || item.key().substr(0, item.key().rfind('.')) == module;
      }
      EXPECT_TRUE(named) << model << " " << key << " " << scale;
    }
  }
}

TEST(LayerDecay, OfOneAndOfAModelThatIsOneLayerChangesNothing) {
  for (const auto& [key, scale] : layer_lr_scales(*inside_model("swin"), 1)) {
    EXPECT_EQ(scale, 1) << key;
  }
  for (const auto& [key, scale] : layer_lr_scales(SmallModel(3), 0.5)) {
    EXPECT_EQ(scale, 1) << key;
  }
}

TEST(LayerDecay, IsAFactor) {
  const SmallModel model(3);
  EXPECT_VALUE_ERROR(layer_lr_scales(model, 0), "layer_decay has to be above 0");
  EXPECT_VALUE_ERROR(layer_lr_scales(model, 1.5), "but got 1.5");
}

}  // namespace
}  // namespace vitrine
