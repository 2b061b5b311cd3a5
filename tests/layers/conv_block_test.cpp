#include "vitrine/layers/conv_block.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

TEST(RoundChannels, GoesToTheNearestMultipleOfEight) {
  EXPECT_EQ(round_channels(32), 32);
  EXPECT_EQ(round_channels(35), 32);
  EXPECT_EQ(round_channels(20), 24);
  EXPECT_EQ(round_channels(3), 8);
}

TEST(RoundChannels, NeverLosesATenth) {
  EXPECT_EQ(round_channels(18), 24);  // 16 would lose 11 %
  EXPECT_EQ(round_channels(17.7), 16);
  EXPECT_EQ(round_channels(11), 16);
}

TEST(ConvNormAct, ConvolvesNormalisesAndActivates) {
  const torch::NoGradGuard no_grad;
  ConvNormAct layer(ConvNormActOptions(1, 1, 1));
  layer->conv->weight.fill_(2);
  layer->bn->running_mean.fill_(1);
  layer->bn->running_var.fill_(4);
  layer->bn->weight.fill_(3);
  layer->bn->bias.fill_(0.5);
  layer->eval();
  const auto z = 3 * (2 * 2.0 - 1) / std::sqrt(4 + 1e-5) + 0.5;
  const auto y = layer(torch::full({1, 1, 1, 1}, 2.0));
  EXPECT_NEAR(y.item<double>(), z / (1 + std::exp(-z)), 1e-6);
}

TEST(ConvNormAct, PadsSoThatOnlyTheStrideShrinks) {
  for (const int64_t kernel : {1, 3, 5}) {
    ConvNormAct whole(ConvNormActOptions(2, 3, kernel));
    EXPECT_EQ(whole(torch::randn({2, 2, 5, 6})).sizes(), (Shape{2, 3, 5, 6}));
    ConvNormAct half(ConvNormActOptions(2, 3, kernel).stride(2));
    EXPECT_EQ(half(torch::randn({2, 2, 5, 6})).sizes(), (Shape{2, 3, 3, 3}));
  }
}

TEST(ConvNormAct, HasNoBiasBeforeTheNorm) {
  EXPECT_FALSE(ConvNormAct(ConvNormActOptions(2, 4, 3))->conv->bias.defined());
}

TEST(ConvNormAct, NeedsMoreThanOneValueAChannelToLearn) {
  ConvNormAct layer(ConvNormActOptions(2, 4, 3).stride(2));
  const auto small = torch::ones({1, 2, 2, 2});
  EXPECT_VALUE_ERROR(layer(small), "take a larger batch_size or image_size");
  EXPECT_EQ(layer(torch::ones({2, 2, 2, 2})).numel(), 8);
  layer->eval();
  EXPECT_EQ(layer(small).numel(), 4);
}

TEST(ConvNormAct, RejectsOptionsAndShapesOutOfRange) {
  EXPECT_VALUE_ERROR(ConvNormAct(ConvNormActOptions(2, 4, 2)), "odd, got 2");
  EXPECT_VALUE_ERROR(ConvNormAct(ConvNormActOptions(2, 4, -1)), "odd, got -1");
  EXPECT_VALUE_ERROR(ConvNormAct(ConvNormActOptions(0, 4, 1)), "in_chans");
  EXPECT_VALUE_ERROR(ConvNormAct(ConvNormActOptions(2, 4, 1).stride(0)), "stride");
  EXPECT_VALUE_ERROR(ConvNormAct(ConvNormActOptions(2, 4, 1).groups(0)), "groups");
  EXPECT_VALUE_ERROR(ConvNormAct(ConvNormActOptions(3, 4, 1).groups(2)), "groups");
  ConvNormAct layer(ConvNormActOptions(3, 4, 1));
  EXPECT_VALUE_ERROR(layer(torch::zeros({1, 4, 2, 2})), "[B, 3, H, W], got [1, 4, 2, 2]");
}

TEST(InvertedResidual, WidensInsideAndConvolvesEachChannelApart) {
  InvertedResidual block(InvertedResidualOptions(16, 24).expansion(2).stride(2));
  EXPECT_EQ(block->conv1_1x1->conv->weight.sizes(), (Shape{32, 16, 1, 1}));
  EXPECT_EQ(block->conv2_kxk->conv->weight.sizes(), (Shape{32, 1, 3, 3}));
  EXPECT_EQ(block->conv3_1x1->conv->weight.sizes(), (Shape{24, 32, 1, 1}));
  EXPECT_EQ(block(torch::randn({2, 16, 5, 4})).sizes(), (Shape{2, 24, 3, 2}));
}

TEST(InvertedResidual, AddsItsInputWhereTheShapesAgree) {
  const torch::NoGradGuard no_grad;
  InvertedResidual same(InvertedResidualOptions(8, 8));
  same->conv3_1x1->bn->weight.zero_();
  const auto x = torch::randn({2, 8, 4, 4});
  EXPECT_TENSOR_NEAR(same(x), x, 1e-6);
  InvertedResidual wider(InvertedResidualOptions(8, 16));
  wider->conv3_1x1->bn->weight.zero_();
  EXPECT_EQ(wider(x).abs().max().item<double>(), 0);
  InvertedResidual strided(InvertedResidualOptions(8, 8).stride(2));
  strided->conv3_1x1->bn->weight.zero_();
  EXPECT_EQ(strided(x).abs().max().item<double>(), 0);
}

TEST(InvertedResidual, ProjectsWithoutActivation) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  InvertedResidual block(InvertedResidualOptions(8, 16));
  // A norm's outputs have mean 0, so half of them lie below what SiLU lets pass (-0.28).
  EXPECT_LT(block(torch::randn({4, 8, 4, 4})).min().item<double>(), -1);
}

TEST(InvertedResidual, DropsOnlyABranchThatHasAShortcut) {
  torch::manual_seed(0);
  const auto x = torch::randn({4, 8, 4, 4});
  InvertedResidual same(InvertedResidualOptions(8, 8).drop_path(0.999999));
  EXPECT_TRUE(same(x).equal(x));
  InvertedResidual wider(InvertedResidualOptions(8, 16).drop_path(0.999999));
  EXPECT_GT(wider(x).abs().flatten(1).amax(1).min().item<double>(), 0.1);
}

TEST(InvertedResidual, RejectsOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(InvertedResidual(InvertedResidualOptions(8, 8).expansion(0)), "expansion");
  EXPECT_VALUE_ERROR(
      InvertedResidual(InvertedResidualOptions(8, 8).expansion(INFINITY)), "expansion");
  EXPECT_VALUE_ERROR(InvertedResidual(InvertedResidualOptions(8, 0)), "out_chans");
  EXPECT_VALUE_ERROR(InvertedResidual(InvertedResidualOptions(-8, 8)), "in_chans");
  EXPECT_VALUE_ERROR(InvertedResidual(InvertedResidualOptions(8, 8).drop_path(1)), "[0, 1)");
}

}  // namespace
}  // namespace vitrine
