#include "vitrine/models/attention_maps.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/models/summary.h"
#include "vitrine/weights/safetensors.h"

#include "models/inside_models.h"
#include "models/small_models.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

TEST(AttentionMaps, AreTimms) {
  const torch::NoGradGuard no_grad;
  const auto golden = read_safetensors(VITRINE_TEST_DATA "/golden/inside.safetensors").tensors;
  for (const std::string name :
       {"vit", "registers", "swin", "swin_v2", "mobilevit", "mobilevit_v2"}) {
    const auto prefix = name + ".attention.";
    size_t recorded = 0;
    for (const auto& item : golden) {
      recorded += item.key().compare(0, prefix.size(), prefix) == 0 ? 1 : 0;
    }
    const auto maps = attention_maps(*inside_model(name), inside_image()).maps;
    EXPECT_EQ(maps.size(), recorded) << name;
    for (const auto& item : maps) {
      SCOPED_TRACE(prefix + item.key());
      EXPECT_TENSOR_NEAR(thinned(item.value()), golden[prefix + item.key()], 1e-5);
    }
  }
}

TEST(AttentionMaps, SumToOneAndLeaveTheLogitsAlone) {
  const torch::NoGradGuard no_grad;
  const auto images = torch::randn({2, 3, 32, 32});
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->eval();
    const auto before = model->forward(images);
    const auto result = attention_maps(*model, images);
    EXPECT_TENSOR_NEAR(result.logits, before, 1e-6);
    ASSERT_FALSE(result.maps.is_empty());
    for (const auto& item : result.maps) {
      EXPECT_GE(item.value().min().item<float>(), 0) << item.key();
      const auto sums = item.value().sum(-1);
      EXPECT_TENSOR_NEAR(sums, torch::ones_like(sums), 1e-5);
    }
    EXPECT_TENSOR_NEAR(model->forward(images), before, 0);
  }
}

TEST(AttentionMaps, HaveAWeightForEachPairOfTokens) {
  const auto images = torch::randn({3, 3, 32, 32});
  const auto shape = [&](Classifier& model, const std::string& key) {
    return attention_maps(model, images).maps[key].sizes().vec();
  };
  EXPECT_EQ(shape(*VisionTransformer(small_vit_options()), "blocks.1.attn"), (Shape{3, 2, 17, 17}));
  SwinTransformer swin(small_swin_options());
  EXPECT_EQ(shape(*swin, "layers.0.blocks.1.attn"), (Shape{3 * 4, 1, 16, 16}));
  EXPECT_EQ(shape(*swin, "layers.1.blocks.0.attn"), (Shape{3, 2, 16, 16}));
  // The stem and the second stage halve the map to 8x8 pixels: 16 patches of 2x2.
  MobileVit mobile(small_mobilevit_options());
  EXPECT_EQ(shape(*mobile, "stages.1.1.transformer.0.attn"), (Shape{3 * 4, 4, 16, 16}));
  MobileVit mobile_v2(small_mobilevit_options().version(2));
  EXPECT_EQ(shape(*mobile_v2, "stages.1.1.transformer.0.attn"), (Shape{3, 1, 4, 16}));
}

TEST(AttentionMaps, AreThoseBeforeDropout) {
  VisionTransformer model(small_vit_options().attn_drop_rate(0.5));
  model->train();
  const auto images = torch::randn({1, 3, 32, 32});
  const auto result = attention_maps(*model, images);
  for (const auto& item : result.maps) {
    const auto sums = item.value().sum(-1);
    EXPECT_TENSOR_NEAR(sums, torch::ones_like(sums), 1e-5);
  }
  model->eval();
  EXPECT_FALSE(result.logits.allclose(model->forward(images)));  // dropout did act
}

TEST(AttentionMaps, DoNotReachASummary) {
  VisionTransformer model(small_vit_options());
  for (const auto& step : summarize(*model, torch::randn({1, 3, 32, 32})).walk) {
    EXPECT_EQ(step.name.find("attention"), std::string::npos);
  }
}

}  // namespace
}  // namespace vitrine
