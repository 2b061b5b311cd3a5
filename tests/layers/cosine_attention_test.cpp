#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/layers/window_attention.h"

#include "averaging_attention.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

// Window attention with the option `cosine`.

namespace vitrine {
namespace {

WindowAttentionOptions options_of(int64_t dim, int64_t heads) {
  return WindowAttentionOptions(dim, heads, /*window_size=*/2).cosine(true);
}

/// Biases are all 16 * sigmoid(0).
WindowAttention averaging_cosine_attention() {
  return averaging_attention(options_of(2, 1));
}

TEST(CosineAttention, AveragesTheWindowWhenAllScoresAreEqual) {
  auto attention = averaging_cosine_attention();
  const auto mean = torch::tensor({3.0F, 4.0F}).expand({1, 4, 2});
  EXPECT_TENSOR_NEAR(attention(four_tokens()), mean, 1e-6);
}

TEST(CosineAttention, ScoresByTheAngleAlone) {
  const torch::NoGradGuard no_grad;
  auto attention = averaging_cosine_attention();
  attention->qkv->weight.copy_(torch::eye(2).repeat({3, 1}));
  // Whatever their lengths: cosine 1 with itself, 0 with the others; the scale is exp(0).
  const auto x = torch::tensor({3.0F, 0.0F, 0.0F, 5.0F, 0.0F, 2.0F, 0.0F, 1.0F}).view({1, 4, 2});
  const auto e = std::exp(1.0);
  EXPECT_NEAR(attention(x)[0][0][0].item<double>(), 3 * e / (e + 3), 1e-6);
  EXPECT_NEAR(attention(x)[0][0][1].item<double>(), 8 / (e + 3), 1e-6);
}

TEST(CosineAttention, TakesATokenOfZeros) {
  const torch::NoGradGuard no_grad;
  auto attention = averaging_cosine_attention();
  attention->qkv->weight.copy_(torch::eye(2).repeat({3, 1}));
  EXPECT_TENSOR_NEAR(attention(torch::zeros({1, 4, 2})), torch::zeros({1, 4, 2}), 0);
}

TEST(CosineAttention, ScalesByAHundredAtMost) {
  const torch::NoGradGuard no_grad;
  auto attention = averaging_cosine_attention();
  attention->qkv->weight.copy_(torch::eye(2).repeat({3, 1}));
  // Nearly parallel, so that no weight is all or nothing.
  const auto x = torch::tensor({1.0F, 0.0F, 1.0F, 0.1F, 1.0F, 0.2F, 1.0F, 0.3F}).view({1, 4, 2});
  attention->logit_scale.fill_(std::log(100.0));
  const auto at_most = attention(x);
  attention->logit_scale.fill_(50);
  EXPECT_TENSOR_NEAR(attention(x), at_most, 0);
  attention->logit_scale.fill_(std::log(90.0));
  EXPECT_GT((attention(x) - at_most).abs().max().item<double>(), 1e-3);
}

TEST(CosineAttention, AddsTheBiasThatTheMlpGivesAnOffset) {
  const torch::NoGradGuard no_grad;
  auto attention = averaging_cosine_attention();
  // The MLP passes on the column's offset where it is positive, a thousandfold: 16 * sigmoid is 16
  // for a key on the query's left, and 8 for any other.
  attention->cpb_mlp->at<torch::nn::LinearImpl>(0).weight[0][1] = 1;
  attention->cpb_mlp->at<torch::nn::LinearImpl>(2).weight[0][0] = 1000;
  const auto y = attention(four_tokens())[0];
  const auto favoured = std::exp(8.0);
  EXPECT_TENSOR_NEAR(y[0], torch::tensor({3.0F, 4.0F}), 1e-6);  // has none on its left: the mean
  // Tokens 0 and 2 favoured, whose first channels are 0 and 4; 1 and 3 hold 2 and 6.
  const auto expected = (favoured * 4 + 8) / (2 * favoured + 2);
  EXPECT_NEAR(y[1][0].item<double>(), expected, 1e-5);
}

TEST(CosineAttention, GivesQueriesAndValuesABiasButNoKey) {
  const torch::NoGradGuard no_grad;
  auto attention = averaging_cosine_attention();
  EXPECT_FALSE(attention->qkv->bias.defined());
  attention->v_bias.copy_(torch::tensor({10.0F, 20.0F}));
  const auto shifted = torch::tensor({13.0F, 24.0F}).expand({1, 4, 2});
  EXPECT_TENSOR_NEAR(attention(four_tokens()), shifted, 1e-5);
  // Queries (1, 0) for all: scores are the keys' cosines with it.
  attention->qkv->weight.slice(0, 2, 4).copy_(torch::eye(2));
  attention->v_bias.zero_();
  attention->q_bias[0] = 1;
  const auto x = torch::tensor({2.0F, 0.0F, 0.0F, 1.0F, 0.0F, 1.0F, 0.0F, 1.0F}).view({1, 4, 2});
  const auto e = std::exp(1.0);
  EXPECT_NEAR(attention(x)[0][3][0].item<double>(), 2 * e / (e + 3), 1e-6);
  const auto unbiased = WindowAttention(options_of(2, 1).qkv_bias(false))->named_parameters();
  EXPECT_FALSE(unbiased.contains("q_bias"));
  EXPECT_FALSE(unbiased.contains("v_bias"));
}

TEST(CosineAttention, LetsNothingThroughTheMask) {
  torch::manual_seed(0);
  WindowAttention attention(options_of(8, 2));
  const auto mask = shifted_window_mask({4, 4}, {2, 2}, {1, 1});
  const auto x = torch::randn({4, 4, 8});
  auto changed = x.clone();
  changed[3][0] += 1;  // the last window joins four corners: each token is alone
  const auto moved = (attention(changed, mask) - attention(x, mask)).abs().amax(-1) > 0;
  auto expected = torch::zeros({4, 4}, torch::kBool);
  expected[3][0] = true;
  EXPECT_TRUE(moved.equal(expected)) << moved;
}

TEST(CosineAttention, KeepsItsTablesThroughALowPrecision) {
  WindowAttention attention(options_of(4, 2).pretrained_window_size({3, 3}));
  const auto coords = attention->relative_coords_table.clone();
  EXPECT_NEAR(coords.max().item<double>(), std::log2(5.0) / 3, 1e-6);
  attention->to(torch::kBFloat16);
  EXPECT_EQ(attention->relative_coords_table.scalar_type(), torch::kBFloat16);
  attention->to(torch::Device(torch::kCPU), torch::kFloat);
  EXPECT_TENSOR_NEAR(attention->relative_coords_table, coords, 0);
  EXPECT_EQ(attention->relative_position_index.scalar_type(), torch::kLong);
}

TEST(CosineAttention, StartsAsThePapersCodeDoes) {
  torch::manual_seed(0);
  WindowAttention attention(options_of(8, 2));
  EXPECT_NEAR(attention->logit_scale.exp().max().item<double>(), 10, 1e-5);
  EXPECT_EQ(attention->logit_scale.sizes(), (std::vector<int64_t>{2, 1, 1}));
  EXPECT_EQ(attention->q_bias.abs().max().item<double>(), 0);
  const auto parameters = attention->cpb_mlp->named_parameters();
  EXPECT_NEAR(parameters["0.weight"].std().item<double>(), 0.02, 0.002);
  EXPECT_EQ(parameters["0.bias"].abs().max().item<double>(), 0);
  EXPECT_FALSE(parameters.contains("2.bias"));
  EXPECT_FALSE(attention->relative_position_bias_table.defined());
}

TEST(CosineAttention, RejectsAPretrainedWindowOfNothing) {
  EXPECT_VALUE_ERROR(
      WindowAttention(options_of(4, 2).pretrained_window_size({-1, -1})), "got -1x-1");
  EXPECT_VALUE_ERROR(WindowAttention(options_of(4, 2).pretrained_window_size({0, 3})), "got 0x3");
}

}  // namespace
}  // namespace vitrine
