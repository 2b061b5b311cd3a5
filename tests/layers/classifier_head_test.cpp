#include "vitrine/layers/classifier_head.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

TEST(ClassifierHead, AveragesTheMapInBothLayouts) {
  const auto map = torch::arange(12, torch::kFloat).view({1, 2, 2, 3});  // [B, C, H, W]
  const auto expected = torch::tensor({2.5F, 8.5F}).view({1, 2});
  ClassifierHead second(ClassifierHeadOptions(2, 0));
  EXPECT_TENSOR_NEAR(second(map), expected, 1e-6);
  ClassifierHead last(ClassifierHeadOptions(2, 0).channels_last(true));
  EXPECT_TENSOR_NEAR(last(map.permute({0, 2, 3, 1})), expected, 1e-6);
}

TEST(ClassifierHead, ProjectsTheMean) {
  const torch::NoGradGuard no_grad;
  ClassifierHead head(ClassifierHeadOptions(2, 3));
  head->fc->weight.copy_(torch::tensor({1.0F, 0.0F, 0.0F, 1.0F, 1.0F, -1.0F}).view({3, 2}));
  head->fc->bias.copy_(torch::tensor({0.0F, 0.0F, 10.0F}));
  const auto map = torch::arange(8, torch::kFloat).view({1, 2, 2, 2});  // means 1.5 and 5.5
  EXPECT_TENSOR_NEAR(head(map), torch::tensor({1.5F, 5.5F, 6.0F}).view({1, 3}), 1e-6);
  EXPECT_TENSOR_NEAR(
      head(map, /*pre_logits=*/true), torch::tensor({1.5F, 5.5F}).view({1, 2}), 1e-6);
}

TEST(ClassifierHead, WithoutClassesHasNoParameters) {
  EXPECT_TRUE(ClassifierHead(ClassifierHeadOptions(4, 0))->parameters().empty());
}

TEST(ClassifierHead, DropsPooledFeaturesWhileTraining) {
  torch::manual_seed(0);
  ClassifierHead head(ClassifierHeadOptions(64, 0).drop_rate(0.5));
  const auto y = head(torch::ones({1, 64, 2, 2}));
  EXPECT_TRUE(((y == 0) | (y == 2)).all().item<bool>());
  EXPECT_TRUE((y == 0).any().item<bool>());
  head->eval();
  EXPECT_TENSOR_NEAR(head(torch::ones({1, 64, 2, 2})), torch::ones({1, 64}), 1e-6);
}

TEST(ClassifierHead, RejectsOptionsAndShapesOutOfRange) {
  EXPECT_VALUE_ERROR(ClassifierHead(ClassifierHeadOptions(0, 3)), "in_features");
  EXPECT_VALUE_ERROR(ClassifierHead(ClassifierHeadOptions(4, -1)), "num_classes");
  EXPECT_VALUE_ERROR(ClassifierHead(ClassifierHeadOptions(4, 3).drop_rate(1)), "drop_rate");
  ClassifierHead second(ClassifierHeadOptions(4, 3));
  EXPECT_VALUE_ERROR(second(torch::zeros({1, 2, 2, 4})), "[B, 4, H, W], got [1, 2, 2, 4]");
  ClassifierHead last(ClassifierHeadOptions(4, 3).channels_last(true));
  EXPECT_VALUE_ERROR(last(torch::zeros({1, 4, 2, 2})), "[B, H, W, 4], got [1, 4, 2, 2]");
  EXPECT_VALUE_ERROR(last(torch::zeros({1, 4})), "[B, H, W, 4]");
}

}  // namespace
}  // namespace vitrine
