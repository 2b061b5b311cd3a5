#include "vitrine/models/mobilevit.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/models/registry.h"

#include "small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

MobileVit xxs() {
  const auto model = create_model("mobilevit_xxs");
  return MobileVit(std::dynamic_pointer_cast<MobileVitImpl>(model));
}

TEST(MobileVit, ShrinksTheMapStageByStage) {
  const torch::NoGradGuard no_grad;
  auto model = xxs();
  model->eval();
  auto x = model->stem(torch::randn({1, 3, 256, 256}));
  EXPECT_EQ(x.sizes(), (Shape{1, 16, 128, 128}));
  const Shape expected[] = {
      {1, 16, 128, 128}, {1, 24, 64, 64}, {1, 48, 32, 32}, {1, 64, 16, 16}, {1, 80, 8, 8}};
  for (size_t i = 0; i < 5; ++i) {
    x = mobilevit_stage(*model, i).forward(x);
    EXPECT_EQ(x.sizes(), expected[i]) << i;
  }
  EXPECT_EQ(model->final_conv(x).sizes(), (Shape{1, 320, 8, 8}));
}

TEST(MobileVit, TakesImagesOfAnySize) {
  const torch::NoGradGuard no_grad;
  auto model = xxs();
  model->eval();
  for (const auto& shape : {Shape{1, 3, 100, 37}, Shape{1, 3, 32, 256}, Shape{1, 3, 1, 1}}) {
    const auto logits = model->forward(torch::randn(shape));
    EXPECT_EQ(logits.sizes(), (Shape{1, 1000}));
    EXPECT_TRUE(logits.isfinite().all().item<bool>()) << shape[2] << "x" << shape[3];
  }
}

TEST(MobileVit, PoolsTheLastConvolution) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  MobileVit model(small_mobilevit_options());
  model->eval();
  const auto images = torch::randn({2, 3, 32, 32});
  const auto features = model->forward_features(images);
  EXPECT_EQ(features.sizes(), (Shape{2, 32, 8, 8}));
  EXPECT_TENSOR_NEAR(model->forward(images), model->head->fc(features.mean({2, 3})), 1e-6);
}

TEST(MobileVit, RaisesDropPathLinearlyOverAllBlocks) {
  MobileVit model(small_mobilevit_options().drop_path_rate(0.2));
  EXPECT_DOUBLE_EQ(mobilevit_stage(*model, 0).at<InvertedResidualImpl>(0).drop_path->p, 0);
  EXPECT_DOUBLE_EQ(mobilevit_stage(*model, 1).at<InvertedResidualImpl>(0).drop_path->p, 0.1);
  EXPECT_DOUBLE_EQ(mobilevit_stage(*model, 1).at<MobileVitBlockImpl>(1).options.drop_path(), 0.2);
}

TEST(MobileVit, StartsAsThePapersCodeDoes) {
  torch::manual_seed(0);
  MobileVit model(small_mobilevit_options()
                      .channels({64, 64})
                      .transformer_dims({64})
                      .head_chans(256)
                      .num_classes(50));
  for (const auto& module : model->modules()) {
    if (const auto* linear = module->as<torch::nn::Linear>()) {
      EXPECT_NEAR(linear->weight.std().item<double>(), 0.01, 0.001);
      EXPECT_EQ(linear->bias.abs().max().item<double>(), 0);
    } else if (const auto* convolution = module->as<torch::nn::Conv2d>()) {
      const auto& weight = convolution->weight;
      const auto fan_out =
          weight.size(0) * weight.size(2) * weight.size(3) / convolution->options.groups();
      const auto expected = std::sqrt(2 / static_cast<double>(fan_out));
      EXPECT_NEAR(weight.std().item<double>(), expected, 0.12 * expected) << weight.sizes();
    } else if (const auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      EXPECT_TRUE((norm->weight == 1).all().item<bool>());
      EXPECT_TRUE((norm->bias == 0).all().item<bool>());
    }
  }
}

TEST(MobileVit, StartsANewHeadLikeTheFirst) {
  torch::manual_seed(0);
  MobileVit model(small_mobilevit_options());
  model->reset_classifier(200);
  EXPECT_NEAR(model->head->fc->weight.std().item<double>(), 0.01, 0.001);
}

TEST(MobileVit, RunsWithoutTransformers) {
  MobileVit model(small_mobilevit_options().transformer_dims({}).transformer_depths({}));
  EXPECT_EQ(model->forward(torch::randn({2, 3, 32, 32})).sizes(), (Shape{2, 5}));
}

TEST(MobileVit, RejectsOptionsOutOfRange) {
  const auto make = [](const MobileVitOptions& options) { MobileVit model(options); };
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().blocks({1})), "each stage, got 2, 1 and 2");
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().blocks({1, 0})), "blocks");
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().strides({1, 0})), "stride");
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().transformer_depths({1, 1})), "equal lengths");
  EXPECT_VALUE_ERROR(
      make(small_mobilevit_options().transformer_dims({18})), "multiple of num_heads");
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().channels({8, -16})), "chans");
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().stem_stride(0)), "stride");
  EXPECT_VALUE_ERROR(make(small_mobilevit_options().expansion(-1)), "expansion");
}

}  // namespace
}  // namespace vitrine
