#include "vitrine/layers/init.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/value_error.h"

namespace vitrine {
namespace {

double deviation(const torch::Tensor& tensor) {
  return tensor.std().item<double>();
}

TEST(TruncNormal, HasTheAskedDeviationWhereTheBoundsAreFar) {
  torch::manual_seed(0);
  const auto tensor = torch::empty({100000});
  trunc_normal_(tensor, 0.02);
  EXPECT_NEAR(tensor.mean().item<double>(), 0, 3e-4);
  EXPECT_NEAR(deviation(tensor), 0.02, 3e-4);
}

TEST(TruncNormal, StaysWithinTwo) {
  torch::manual_seed(0);
  const auto tensor = torch::empty({100000});
  trunc_normal_(tensor, 1.0);
  EXPECT_LE(tensor.abs().max().item<double>(), 2);
  EXPECT_GT(tensor.abs().max().item<double>(), 1.99);
  // Deviation of a standard normal distribution cut off at two deviations.
  EXPECT_NEAR(deviation(tensor), 0.8796, 0.005);
}

TEST(TruncNormal, HasNoOutliers) {
  // Six deviations happen once in 500 million draws. A uniform number at the very end of its range,
  // one in 17 million, would give the bound itself, a hundred deviations away.
  torch::manual_seed(0);
  const auto tensor = torch::empty({int64_t{1} << 26});
  trunc_normal_(tensor, 0.02);
  EXPECT_LT(tensor.abs().max().item<double>(), 0.12);
}

TEST(TruncNormal, RejectsADeviationThatIsNone) {
  EXPECT_VALUE_ERROR(trunc_normal_(torch::empty({2}), 0), "std");
  EXPECT_VALUE_ERROR(trunc_normal_(torch::empty({2}), -1), "std");
}

TEST(Init, FollowsTheSeed) {
  const auto fill = [](uint64_t seed) {
    torch::manual_seed(seed);
    torch::nn::Linear linear(8, 8);
    init_transformer_(*linear);
    return linear->weight.detach().clone();
  };
  EXPECT_TRUE(fill(1).equal(fill(1)));
  EXPECT_FALSE(fill(1).equal(fill(2)));
}

TEST(Init, OfTransformersGivesSmallWeightsAndNoBias) {
  torch::manual_seed(0);
  torch::nn::Linear linear(300, 300);
  init_transformer_(*linear);
  EXPECT_NEAR(deviation(linear->weight), 0.02, 3e-4);
  EXPECT_EQ(linear->bias.abs().max().item<double>(), 0);
}

TEST(Init, OfMobileLinearsGivesSmallerWeightsAndNoBias) {
  torch::manual_seed(0);
  torch::nn::Linear linear(300, 300);
  init_mobile_(*linear);
  EXPECT_NEAR(deviation(linear->weight), 0.01, 2e-4);
  EXPECT_EQ(linear->bias.abs().max().item<double>(), 0);
}

TEST(Init, OfConvolutionsGoesByTheFanOut) {
  torch::manual_seed(0);
  torch::nn::Conv2d dense(torch::nn::Conv2dOptions(64, 128, 3));
  init_mobile_(*dense);
  EXPECT_NEAR(deviation(dense->weight), std::sqrt(2.0 / (128 * 9)), 5e-4);
  EXPECT_EQ(dense->bias.abs().max().item<double>(), 0);
  torch::nn::Conv2d depthwise(torch::nn::Conv2dOptions(4096, 4096, 3).groups(4096).bias(false));
  init_mobile_(*depthwise);
  EXPECT_NEAR(deviation(depthwise->weight), std::sqrt(2.0 / 9), 0.01);
}

TEST(Init, LeavesGradientsWanted) {
  torch::nn::Linear linear(torch::nn::LinearOptions(4, 4).bias(false));
  init_transformer_(*linear);
  init_mobile_(*linear);
  EXPECT_TRUE(linear->weight.requires_grad());
  EXPECT_TRUE(linear->weight.is_leaf());
}

}  // namespace
}  // namespace vitrine
