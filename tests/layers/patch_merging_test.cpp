#include "vitrine/layers/patch_merging.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

PatchMerging merging(bool pad_odd = false) {
  torch::manual_seed(0);
  return PatchMerging(PatchMergingOptions(/*dim=*/3, /*out_dim=*/6).pad_odd(pad_odd));
}

TEST(PatchMerging, JoinsASquareColumnByColumnThenNormalises) {
  const torch::NoGradGuard no_grad;
  PatchMerging layer(PatchMergingOptions(/*dim=*/1, /*out_dim=*/4));
  layer->reduction->weight.copy_(torch::eye(4));
  const auto x = torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 2, 2, 1});
  // The order 1, 3, 2, 4; their mean is 2.5 and their variance 1.25.
  const auto expected =
      torch::tensor({-1.5, 0.5, -0.5, 1.5}).view({1, 1, 1, 4}) / std::sqrt(1.25001);
  EXPECT_TENSOR_NEAR(layer(x), expected, 1e-6);
}

TEST(PatchMerging, NormalisesLastWhenAsked) {
  const torch::NoGradGuard no_grad;
  PatchMerging layer(PatchMergingOptions(/*dim=*/1, /*out_dim=*/2).post_norm(true));
  layer->reduction->weight.copy_(torch::tensor({1., 0., 0., 0., 0., 0., 1., 1.}).view({2, 4}));
  const auto x = torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 2, 2, 1});
  // Of 1, 3, 2, 4 the sums 1 and 6; their mean is 3.5 and their variance 6.25.
  const auto expected = torch::tensor({-2.5, 2.5}).view({1, 1, 1, 2}) / std::sqrt(6.25001);
  EXPECT_TENSOR_NEAR(layer(x), expected, 1e-6);
}

TEST(PatchMerging, SeesOnlyItsSquare) {
  auto layer = merging();
  const auto x = torch::randn({1, 4, 6, 3});
  auto changed = x.clone();
  changed[0][2][5] += 1;
  const auto moved = (layer(changed) - layer(x)).abs().amax(-1).squeeze(0) > 0;  // [2, 3]
  EXPECT_EQ(moved.sum().item<int64_t>(), 1);
  EXPECT_TRUE(moved[1][2].item<bool>());
}

TEST(PatchMerging, PadsAnOddMapAtItsEnd) {
  auto layer = merging(/*pad_odd=*/true);
  const auto x = torch::randn({2, 3, 5, 3});
  const auto padded = torch::constant_pad_nd(x, {0, 0, 0, 1, 0, 1});  // [2, 4, 6, 3]
  EXPECT_TENSOR_NEAR(layer(x), layer(padded), 1e-6);
  EXPECT_EQ(layer(x).sizes(), (std::vector<int64_t>{2, 2, 3, 6}));
}

TEST(PatchMerging, RefusesAnOddMapByItself) {
  EXPECT_VALUE_ERROR(merging()(torch::zeros({1, 3, 4, 3})), "even rows and columns, got 3x4");
  EXPECT_VALUE_ERROR(merging()(torch::zeros({1, 4, 5, 3})), "4x5");
}

TEST(PatchMerging, HasNoBias) {
  EXPECT_FALSE(merging()->reduction->bias.defined());
}

TEST(PatchMerging, RejectsOptionsAndShapesOutOfRange) {
  EXPECT_VALUE_ERROR(PatchMerging(PatchMergingOptions(0, 4)), "dim");
  EXPECT_VALUE_ERROR(PatchMerging(PatchMergingOptions(4, 0)), "out_dim");
  EXPECT_VALUE_ERROR(merging()(torch::zeros({1, 4, 4, 2})), "[B, H, W, 3], got [1, 4, 4, 2]");
  EXPECT_VALUE_ERROR(merging()(torch::zeros({4, 4, 3})), "[B, H, W, 3]");
}

}  // namespace
}  // namespace vitrine
