#include "vitrine/models/intermediates.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/weights/safetensors.h"

#include "models/inside_models.h"
#include "models/small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

IntermediatesOptions of(std::vector<int64_t> indices) {
  return IntermediatesOptions().indices(std::move(indices));
}

struct IntermediatesCase {
  std::string name;  // in the golden file
  std::string model;
  IntermediatesOptions options;
  size_t maps;
};

/// What tests/golden/make_inside_golden.py recorded.
std::vector<IntermediatesCase> intermediates_cases() {
  const auto norm = IntermediatesOptions().norm(true);
  return {
      {"vit.all", "vit", {}, 3},
      {"vit.some", "vit", of({-1, 0}).norm(true).return_prefix_tokens(true), 2},
      {"vit.early", "vit", of({1}).output_fmt("NLC").stop_early(true), 1},
      {"vit_avg.norm", "vit_avg", of({-1}).norm(true), 1},
      {"vit_dynamic.all", "vit_dynamic", norm, 3},
      {"deit.prefix", "deit", of({1}).return_prefix_tokens(true), 1},
      {"registers.prefix", "registers", of({2}).norm(true).return_prefix_tokens(true), 1},
      {"swin.all", "swin", {}, 2},
      {"swin.norm", "swin", norm, 2},
      {"swin.early", "swin", of({-2}).norm(true).stop_early(true), 1},
      {"swin_v2.norm", "swin_v2", norm, 2},
      {"mobilevit.all", "mobilevit", {}, 5},
      {"mobilevit.early", "mobilevit", of({2}).stop_early(true), 1},
      {"mobilevit_v2.all", "mobilevit_v2", {}, 5}};
}

TEST(Intermediates, AreTimms) {
  const torch::NoGradGuard no_grad;
  const auto golden = read_safetensors(VITRINE_TEST_DATA "/golden/inside.safetensors").tensors;
  for (const auto& test : intermediates_cases()) {
    SCOPED_TRACE(test.name);
    auto model = inside_model(test.model);
    const auto result = model->forward_intermediates(inside_image(), test.options);
    EXPECT_TENSOR_NEAR(thinned(result.features), golden[test.name + ".features"], 1e-4);
    ASSERT_EQ(result.maps.size(), test.maps);
    for (size_t i = 0; i < test.maps; ++i) {
      const auto number = std::to_string(i);
      EXPECT_TENSOR_NEAR(thinned(result.maps[i]), golden[test.name + ".map" + number], 1e-4);
      if (test.options.return_prefix_tokens()) {
        EXPECT_TENSOR_NEAR(
            thinned(result.prefix_tokens.at(i)), golden[test.name + ".prefix" + number], 1e-4);
      }
    }
  }
}

TEST(Intermediates, ComeAsMapsOrAsTokensOfEveryFamily) {
  const torch::NoGradGuard no_grad;
  const auto images = torch::randn({2, 3, 32, 32});
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->eval();
    const auto maps = model->forward_intermediates(images).maps;
    const auto tokens =
        model->forward_intermediates(images, IntermediatesOptions().output_fmt("NLC")).maps;
    ASSERT_EQ(maps.size(), 2U);
    ASSERT_EQ(tokens.size(), 2U);
    for (size_t i = 0; i < 2; ++i) {
      ASSERT_EQ(maps[i].dim(), 4);
      EXPECT_TENSOR_NEAR(tokens[i], maps[i].flatten(2).transpose(1, 2), 0);
    }
  }
}

TEST(Intermediates, LeadToTheFeaturesOfAWholeRun) {
  const torch::NoGradGuard no_grad;
  const auto images = torch::randn({1, 3, 32, 32});
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->eval();
    const auto result = model->forward_intermediates(images, of({0}));
    EXPECT_TENSOR_NEAR(result.features, model->forward_features(images), 0);
    EXPECT_TRUE(result.prefix_tokens.empty());
  }
}

TEST(Intermediates, OfARectangleKeepRowsAndColumns) {
  VisionTransformer model(small_vit_options().img_size({16, 32}));
  const auto map = model->forward_intermediates(torch::randn({2, 3, 16, 32}), of({0})).maps.at(0);
  EXPECT_EQ(map.sizes().vec(), (Shape{2, 16, 2, 4}));
}

TEST(Intermediates, OfAModelWithoutPrefixTokensHaveNone) {
  VisionTransformer model(small_simple_vit_options());
  const auto wanted = IntermediatesOptions().return_prefix_tokens(true);
  EXPECT_TRUE(
      model->forward_intermediates(torch::randn({1, 3, 32, 32}), wanted).prefix_tokens.empty());
}

TEST(Intermediates, PassGradientsOn) {
  VisionTransformer model(small_vit_options());
  const auto maps = model->forward_intermediates(torch::randn({1, 3, 32, 32}), of({0})).maps;
  maps.at(0).sum().backward();
  EXPECT_TRUE(model->patch_embed->proj->weight.grad().defined());
  EXPECT_FALSE(model->head->weight.grad().defined());
}

TEST(Intermediates, AreRefusedBeyondTheModelAndInUnknownFormats) {
  const auto images = torch::randn({1, 3, 32, 32});
  for (const auto& named : small_models()) {
    SCOPED_TRACE(named.first);
    const auto& model = named.second;
    EXPECT_VALUE_ERROR(model->forward_intermediates(images, of({2})), "must be -2 to 1, got 2");
    EXPECT_VALUE_ERROR(model->forward_intermediates(images, of({0, -3})), "got -3");
    EXPECT_VALUE_ERROR(
        model->forward_intermediates(images, IntermediatesOptions().output_fmt("NHWC")),
        "output_fmt must be NCHW or NLC, got NHWC");
  }
}

}  // namespace
}  // namespace vitrine
