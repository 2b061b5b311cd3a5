#include "layers/skip_init.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "vitrine/layers/attention.h"
#include "vitrine/layers/mlp.h"
#include "vitrine/layers/patch_merging.h"

#include "layers/linear.h"

namespace vitrine {
namespace {

/// Makes layers with biases and without, `width` wide, and gives the next random number.
float number_after_layers(int64_t width) {
  torch::manual_seed(0);
  const Attention attention(AttentionOptions(width, 2).qkv_bias(false));
  const Mlp mlp(MlpOptions(width, 4 * width));
  const PatchMerging merging(PatchMergingOptions(width, 2 * width));
  return torch::rand({1}).item<float>();
}

TEST(SkipInit, DrawsNoValues) {
  EXPECT_NE(number_after_layers(8), number_after_layers(16));
  const detail::SkipInit skip;
  EXPECT_EQ(number_after_layers(8), number_after_layers(16));
}

TEST(SkipInit, MakesTheSameLayersButForTheirValues) {
  const Mlp usual(MlpOptions(8, 32));
  const detail::SkipInit skip;
  const Mlp mlp(MlpOptions(8, 32));
  const auto expected = usual->named_parameters();
  const auto found = mlp->named_parameters();
  ASSERT_EQ(found.keys(), expected.keys());
  for (const auto& item : found) {
    EXPECT_EQ(item.value().sizes(), expected[item.key()].sizes()) << item.key();
    EXPECT_TRUE(item.value().requires_grad()) << item.key();
  }
  EXPECT_EQ(mlp->fc1->options.in_features(), 8);
  EXPECT_EQ(mlp->fc1->options.out_features(), 32);
  EXPECT_EQ(detail::linear(mlp->fc1, torch::ones({2, 8})).sizes(), (std::vector<int64_t>{2, 32}));
}

}  // namespace
}  // namespace vitrine
