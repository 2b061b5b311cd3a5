#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/models/mobilevit.h"
#include "vitrine/models/registry.h"

#include "small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

// MobileViT with the option `version`.

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

MobileVitOptions small_v2_options() {
  return small_mobilevit_options().version(2).head_chans(0);
}

TEST(MobileVitV2, ShrinksTheMapStageByStage) {
  const torch::NoGradGuard no_grad;
  const auto created = create_model("mobilevitv2_050");
  MobileVit model(std::dynamic_pointer_cast<MobileVitImpl>(created));
  model->eval();
  auto x = model->stem(torch::randn({1, 3, 256, 256}));
  EXPECT_EQ(x.sizes(), (Shape{1, 16, 128, 128}));
  const Shape expected[] = {
      {1, 32, 128, 128}, {1, 64, 64, 64}, {1, 128, 32, 32}, {1, 192, 16, 16}, {1, 256, 8, 8}};
  for (size_t i = 0; i < 5; ++i) {
    x = mobilevit_stage(*model, i).forward(x);
    EXPECT_EQ(x.sizes(), expected[i]) << i;
  }
}

TEST(MobileVitV2, PoolsTheLastStage) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  MobileVit model(small_v2_options());
  model->eval();
  const auto images = torch::randn({2, 3, 32, 32});
  const auto features = model->forward_features(images);
  EXPECT_EQ(features.sizes(), (Shape{2, 16, 8, 8}));
  EXPECT_FALSE(model->final_conv);
  EXPECT_EQ(model->num_features(), 16);
  EXPECT_TENSOR_NEAR(model->forward(images), model->head->fc(features.mean({2, 3})), 1e-6);
}

TEST(MobileVitV2, TakesImagesOfAnySize) {
  const torch::NoGradGuard no_grad;
  MobileVit model(small_v2_options());
  model->eval();
  for (const auto& shape : {Shape{1, 3, 100, 37}, Shape{1, 3, 32, 256}, Shape{1, 3, 1, 1}}) {
    const auto logits = model->forward(torch::randn(shape));
    EXPECT_EQ(logits.sizes(), (Shape{1, 5}));
    EXPECT_TRUE(logits.isfinite().all().item<bool>()) << shape[2] << "x" << shape[3];
  }
}

TEST(MobileVitV2, PassesItsOptionsOn) {
  MobileVit model(small_v2_options().drop_path_rate(0.2).patch_size(4).attn_drop_rate(0.1));
  const auto& options = mobilevit_stage(*model, 1).at<MobileVitV2BlockImpl>(1).options;
  EXPECT_DOUBLE_EQ(options.drop_path(), 0.2);
  EXPECT_DOUBLE_EQ(options.attn_drop(), 0.1);
  EXPECT_EQ(options.patch_size(), 4);
  EXPECT_EQ(options.transformer_dim(), 16);
}

TEST(MobileVitV2, StartsAsThePapersCodeDoes) {
  torch::manual_seed(0);
  MobileVit model(small_v2_options().channels({64, 64}).transformer_dims({64}).num_classes(50));
  for (const auto& module : model->modules()) {
    if (const auto* convolution = module->as<torch::nn::Conv2d>()) {
      const auto& weight = convolution->weight;
      const auto fan_out =
          weight.size(0) * weight.size(2) * weight.size(3) / convolution->options.groups();
      const auto expected = std::sqrt(2 / static_cast<double>(fan_out));
      EXPECT_NEAR(weight.std().item<double>(), expected, 0.12 * expected) << weight.sizes();
    } else if (const auto* norm = module->as<torch::nn::GroupNorm>()) {
      EXPECT_TRUE((norm->weight == 1).all().item<bool>());
      EXPECT_TRUE((norm->bias == 0).all().item<bool>());
    }
  }
  EXPECT_NEAR(model->head->fc->weight.std().item<double>(), 0.01, 0.001);
}

TEST(MobileVit, RejectsAnotherVersion) {
  const auto make = [](const MobileVitOptions& options) { MobileVit model(options); };
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().version(3)), "1 or 2, got 3");
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().head_chans(-1)), "chans");
}

}  // namespace
}  // namespace vitrine
