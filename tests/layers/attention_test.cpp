#include "vitrine/layers/attention.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

/// Queries, keys and values are the input itself, and the output passes straight through.
Attention identity_attention(int64_t dim, int64_t heads) {
  const torch::NoGradGuard no_grad;
  Attention attention(AttentionOptions(dim, heads));
  attention->qkv->weight.copy_(torch::eye(dim).repeat({3, 1}));
  attention->proj->weight.copy_(torch::eye(dim));
  return attention;
}

TEST(Attention, WeighsTheValuesByTheSoftmaxOfScaledScores) {
  auto attention = identity_attention(/*dim=*/2, /*heads=*/1);
  // Scores are 1 / sqrt(2) for a token with itself and 0 with the other.
  const auto own = static_cast<float>(std::exp(std::sqrt(0.5)) / (std::exp(std::sqrt(0.5)) + 1));
  const auto x = torch::eye(2).unsqueeze(0);
  const auto expected = torch::tensor({own, 1 - own, 1 - own, own}).view({1, 2, 2});
  EXPECT_TENSOR_NEAR(attention(x), expected, 1e-6);
}

TEST(Attention, AveragesTheValuesWhenAllScoresAreEqual) {
  const torch::NoGradGuard no_grad;
  auto attention = identity_attention(2, 1);
  attention->qkv->weight.slice(0, 0, 4).zero_();
  const auto x = torch::arange(6, torch::kFloat).view({1, 3, 2});  // (0,1) (2,3) (4,5)
  EXPECT_TENSOR_NEAR(attention(x), torch::tensor({2.0F, 3.0F}).expand({1, 3, 2}), 1e-6);
}

TEST(Attention, ScalesByTheWidthOfAHeadNotOfAToken) {
  auto attention = identity_attention(/*dim=*/2, /*heads=*/2);
  // With one channel a head the scale is 1: scores of the first head are 1 and 0.
  const auto own = static_cast<float>(std::exp(1.0) / (std::exp(1.0) + 1));
  const auto x = torch::tensor({1.0F, 0.0F, 0.0F, 0.0F}).view({1, 2, 2});
  EXPECT_NEAR(attention(x)[0][0][0].item<float>(), own, 1e-6);
  EXPECT_NEAR(attention(x)[0][1][0].item<float>(), 0.5, 1e-6);
}

TEST(Attention, KeepsHeadsApart) {
  torch::manual_seed(0);
  auto attention = identity_attention(/*dim=*/4, /*heads=*/2);
  const auto x = torch::randn({1, 3, 4});
  auto changed = x.clone();
  changed.slice(2, 2).normal_();  // the second head's channels
  const auto before = attention(x);
  const auto after = attention(changed);
  EXPECT_TENSOR_NEAR(after.slice(2, 0, 2), before.slice(2, 0, 2), 1e-6);
  EXPECT_FALSE(after.slice(2, 2).allclose(before.slice(2, 2)));
}

TEST(Attention, KnowsNoOrderOfTokens) {
  torch::manual_seed(0);
  Attention attention(AttentionOptions(8, 2));
  const auto x = torch::randn({2, 5, 8});
  const auto order = torch::tensor({3, 0, 4, 1, 2});
  EXPECT_TENSOR_NEAR(
      attention(x.index_select(1, order)), attention(x).index_select(1, order), 1e-6);
}

TEST(Attention, TreatsImagesApart) {
  torch::manual_seed(0);
  Attention attention(AttentionOptions(8, 2));
  const auto x = torch::randn({3, 5, 8});
  EXPECT_TENSOR_NEAR(attention(x.slice(0, 1, 2)), attention(x).slice(0, 1, 2), 1e-6);
}

TEST(Attention, TakesHeadsOfAnyWidth) {
  Attention attention(AttentionOptions(/*dim=*/6, /*num_heads=*/4).head_dim(5).qkv_bias(false));
  EXPECT_EQ(attention->qkv->weight.sizes(), (std::vector<int64_t>{60, 6}));
  EXPECT_EQ(attention->proj->weight.sizes(), (std::vector<int64_t>{6, 20}));
  EXPECT_FALSE(attention->qkv->bias.defined());
  EXPECT_EQ(attention(torch::zeros({2, 3, 6})).sizes(), (std::vector<int64_t>{2, 3, 6}));
}

TEST(Attention, TakesTokensInAnyMemoryOrder) {
  torch::manual_seed(0);
  Attention attention(AttentionOptions(8, 2));
  const auto x = torch::randn({2, 8, 5}).transpose(1, 2);
  EXPECT_TENSOR_NEAR(attention(x), attention(x.contiguous()), 1e-6);
}

TEST(Attention, DropsOnlyWhileTraining) {
  torch::manual_seed(0);
  Attention weights(AttentionOptions(8, 2).attn_drop(0.5));
  Attention outputs(AttentionOptions(8, 2).proj_drop(0.5));
  const auto x = torch::randn({2, 5, 8});
  for (auto& attention : {weights, outputs}) {
    auto layer = attention;
    EXPECT_FALSE(layer(x).equal(layer(x)));
    layer->eval();
    EXPECT_TRUE(layer(x).equal(layer(x)));
  }
}

TEST(Attention, LeavesOutTheBiasesItIsToldTo) {
  Attention attention(AttentionOptions(8, 2).qkv_bias(false).proj_bias(false));
  EXPECT_FALSE(attention->qkv->bias.defined());
  EXPECT_FALSE(attention->proj->bias.defined());
  EXPECT_EQ(attention(torch::zeros({1, 3, 8})).abs().max().item<double>(), 0);
}

TEST(Attention, RejectsOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(10, 4)), "multiple of num_heads");
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(8, 0)), "num_heads");
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(0, 1)), "dim");
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(8, 2).head_dim(-4)), "head_dim");
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(8, 2).attn_drop(1)), "attn_drop");
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(8, 2).attn_drop(NAN)), "attn_drop");
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(8, 2).proj_drop(1)), "proj_drop");
  EXPECT_VALUE_ERROR(Attention(AttentionOptions(8, 2).proj_drop(-0.1)), "proj_drop");
}

TEST(Attention, RejectsTokensOfAnotherWidth) {
  Attention attention(AttentionOptions(8, 2));
  EXPECT_VALUE_ERROR(attention(torch::zeros({1, 3, 6})), "[B, N, 8]");
  EXPECT_VALUE_ERROR(attention(torch::zeros({3, 8})), "[B, N, 8]");
}

}  // namespace
}  // namespace vitrine
