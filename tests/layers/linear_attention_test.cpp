#include "vitrine/layers/linear_attention.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

/// One channel: `query` times the token is its score; keys, values and output pass straight
/// through.
LinearAttention attention_of(double query) {
  const torch::NoGradGuard no_grad;
  LinearAttention attention(LinearAttentionOptions(/*dim=*/1));
  attention->qkv_proj->weight.copy_(torch::tensor({query, 1.0, 1.0}).view({3, 1, 1, 1}));
  attention->out_proj->weight.fill_(1);
  return attention;
}

TEST(LinearAttention, MultipliesValuesByTheMeanKeyWhenAllScoresAreEqual) {
  const auto x = torch::tensor({2.0F, 4.0F}).view({1, 1, 1, 2});
  const auto expected = torch::tensor({6.0F, 12.0F}).view({1, 1, 1, 2});
  EXPECT_TENSOR_NEAR(attention_of(0)(x), expected, 1e-6);
}

TEST(LinearAttention, WeighsKeysByTheSoftmaxOfTheScores) {
  const auto x = torch::tensor({0.0F, 1.0F}).view({1, 1, 1, 2});
  const auto e = std::exp(1.0);
  EXPECT_NEAR(attention_of(1)(x)[0][0][0][1].item<double>(), e / (e + 1), 1e-6);
}

TEST(LinearAttention, LeavesNothingOfNegativeValues) {
  const auto x = torch::tensor({-2.0F, 4.0F}).view({1, 1, 1, 2});
  const auto expected = torch::tensor({0.0F, 4.0F}).view({1, 1, 1, 2});  // the mean key is 1
  EXPECT_TENSOR_NEAR(attention_of(0)(x), expected, 1e-6);
}

TEST(LinearAttention, KeepsSetsApart) {
  torch::manual_seed(0);
  LinearAttention attention(LinearAttentionOptions(4));
  const auto x = torch::randn({2, 4, 3, 5});
  auto changed = x.clone();
  changed[1].select(1, 2).normal_();
  const auto moved = (attention(changed) - attention(x)).abs().amax(1).amax(-1) > 0;  // [2, 3]
  auto expected = torch::zeros({2, 3}, torch::kBool);
  expected[1][2] = true;
  EXPECT_TRUE(moved.equal(expected)) << moved;
}

TEST(LinearAttention, DropsOnlyWhileTraining) {
  torch::manual_seed(0);
  const auto x = torch::randn({2, 8, 2, 16});
  for (const bool weights : {true, false}) {
    LinearAttention attention(
        LinearAttentionOptions(8).attn_drop(weights ? 0.5 : 0).proj_drop(weights ? 0 : 0.5));
    EXPECT_FALSE(attention(x).equal(attention(x)));
    attention->eval();
    EXPECT_TRUE(attention(x).equal(attention(x)));
  }
}

TEST(LinearAttention, StartsAsTheConvolutionsOfMobileViT) {
  torch::manual_seed(0);
  LinearAttention attention(LinearAttentionOptions(128));
  EXPECT_NEAR(attention->qkv_proj->weight.std().item<double>(), std::sqrt(2.0 / 257), 2e-3);
  EXPECT_EQ(attention->qkv_proj->bias.abs().max().item<double>(), 0);
}

TEST(LinearAttention, RejectsOptionsAndShapesOutOfRange) {
  EXPECT_VALUE_ERROR(LinearAttention(LinearAttentionOptions(0)), "dim");
  EXPECT_VALUE_ERROR(LinearAttention(LinearAttentionOptions(4).attn_drop(1)), "attn_drop");
  EXPECT_VALUE_ERROR(LinearAttention(LinearAttentionOptions(4).proj_drop(-1)), "proj_drop");
  EXPECT_VALUE_ERROR(attention_of(0)(torch::zeros({1, 2, 1, 2})), "[B, 1, P, N], got [1, 2, 1, 2]");
}

}  // namespace
}  // namespace vitrine
