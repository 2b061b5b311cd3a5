#include "vitrine/layers/window_attention.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "averaging_attention.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

TEST(WindowPartition, CutsWindowsRowByRow) {
  const auto map = torch::arange(16, torch::kFloat).view({1, 4, 4, 1});
  const auto expected =
      torch::tensor({0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15}, torch::kFloat);
  EXPECT_TENSOR_NEAR(window_partition(map, {2, 2}), expected.view({4, 4, 1}), 0);
}

TEST(WindowPartition, IsUndoneByWindowReverse) {
  torch::manual_seed(0);
  const auto map = torch::randn({3, 4, 9, 5});
  const auto windows = window_partition(map, {2, 3});
  EXPECT_EQ(windows.sizes(), (std::vector<int64_t>{18, 6, 5}));
  EXPECT_TRUE(window_reverse(windows, {2, 3}, {4, 9}).equal(map));
}

TEST(WindowPartition, TakesAMapInAnyMemoryOrder) {
  const auto map = torch::randn({2, 5, 4, 4}).permute({0, 2, 3, 1});  // of channels first
  const auto windows = window_partition(map, {2, 2});
  EXPECT_TRUE(windows.equal(window_partition(map.contiguous(), {2, 2})));
  const auto strided = windows.transpose(0, 1).contiguous().transpose(0, 1);
  EXPECT_TRUE(window_reverse(strided, {2, 2}, {4, 4}).equal(map));
}

TEST(WindowPartition, RejectsAMapThatIsNoMultipleOfTheWindow) {
  EXPECT_VALUE_ERROR(window_partition(torch::zeros({1, 4, 5, 1}), {2, 2}), "2x2, got [1, 4, 5, 1]");
  EXPECT_VALUE_ERROR(window_reverse(torch::zeros({3, 4, 1}), {2, 2}, {4, 4}), "4x4");
  EXPECT_VALUE_ERROR(shifted_window_mask({4, 5}, {2, 2}, {1, 1}), "4x5");
}

TEST(ShiftedWindowMask, SeparatesWhatWasApartBeforeTheShift) {
  // A map of 4x4, windows of 2x2, shifted by one: the windows at the end join opposite edges.
  const auto mask = shifted_window_mask({4, 4}, {2, 2}, {1, 1});
  const auto no = -100.0F;
  const auto whole = torch::zeros({4, 4});
  const auto by_column =
      torch::tensor({0.F, no, 0.F, no, no, 0.F, no, 0.F, 0.F, no, 0.F, no, no, 0.F, no, 0.F});
  const auto by_row =
      torch::tensor({0.F, 0.F, no, no, 0.F, 0.F, no, no, no, no, 0.F, 0.F, no, no, 0.F, 0.F});
  const auto alone = torch::full({4, 4}, no).fill_diagonal_(0);
  const auto expected = torch::stack({whole, by_column.view({4, 4}), by_row.view({4, 4}), alone});
  EXPECT_TENSOR_NEAR(mask, expected, 0);
}

TEST(ShiftedWindowMask, OfNoShiftMasksNothing) {
  EXPECT_EQ(shifted_window_mask({4, 6}, {2, 3}, {0, 0}).abs().max().item<double>(), 0);
}

TEST(WindowAttention, AveragesTheWindowWhenAllScoresAreEqual) {
  auto attention = averaging_attention();
  const auto mean = torch::tensor({3.0F, 4.0F}).expand({1, 4, 2});
  EXPECT_TENSOR_NEAR(attention(four_tokens()), mean, 1e-6);
}

TEST(WindowAttention, KnowsTheRowOfEachOffset) {
  const auto expected =
      torch::tensor({4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4}, torch::kLong);
  EXPECT_TRUE(averaging_attention()->relative_position_index.equal(expected.view({4, 4})));
}

TEST(WindowAttention, AddsTheBiasOfAnOffset) {
  const torch::NoGradGuard no_grad;
  auto attention = averaging_attention();
  // Row 3: same row, one column to the right, seen from the query (dy 0, dx -1).
  attention->relative_position_bias_table[3][0] = 50;
  const auto y = attention(four_tokens())[0];
  EXPECT_TENSOR_NEAR(y[0], torch::tensor({2.0F, 3.0F}), 1e-6);  // its right neighbour
  EXPECT_TENSOR_NEAR(y[1], torch::tensor({3.0F, 4.0F}), 1e-6);  // has none: the mean
  EXPECT_TENSOR_NEAR(y[2], torch::tensor({6.0F, 7.0F}), 1e-6);
}

TEST(WindowAttention, ScalesScoresByTheWidthOfAHead) {
  const torch::NoGradGuard no_grad;
  auto attention = averaging_attention();
  attention->qkv->weight.copy_(torch::eye(2).repeat({3, 1}));
  auto x = torch::zeros({1, 4, 2});
  x[0][0][0] = 1;  // scores with itself 1 / sqrt(2), all others 0
  const auto own = std::exp(std::sqrt(0.5)) / (std::exp(std::sqrt(0.5)) + 3);
  EXPECT_NEAR(attention(x)[0][0][0].item<double>(), own, 1e-6);
}

TEST(WindowAttention, LetsNothingThroughTheMask) {
  torch::manual_seed(0);
  WindowAttention attention(WindowAttentionOptions(8, 2, 2));
  const auto mask = shifted_window_mask({4, 4}, {2, 2}, {1, 1});
  const auto x = torch::randn({8, 4, 8});  // two images of four windows
  auto changed = x.clone();
  changed[5][0] += 1;  // second image, second window: its columns are apart
  const auto moved = (attention(changed, mask) - attention(x, mask)).abs().amax(-1) > 0;
  auto expected = torch::zeros({8, 4}, torch::kBool);
  expected[5][0] = true;
  expected[5][2] = true;
  EXPECT_TRUE(moved.equal(expected)) << moved;
}

TEST(WindowAttention, TakesARectangularWindow) {
  WindowAttention attention(WindowAttentionOptions(4, 2, Size2{2, 3}));
  EXPECT_EQ(attention->relative_position_bias_table.sizes(), (std::vector<int64_t>{15, 2}));
  EXPECT_EQ(attention->relative_position_index.max().item<int64_t>(), 14);
  EXPECT_EQ(attention(torch::zeros({5, 6, 4})).sizes(), (std::vector<int64_t>{5, 6, 4}));
}

TEST(WindowAttention, GivesTheSameGradientInEveryRun) {
  torch::manual_seed(0);
  WindowAttention attention(WindowAttentionOptions(8, 2, 7));
  const auto x = torch::randn({16, 49, 8});
  torch::Tensor first;
  for (int run = 0; run < 20; ++run) {
    attention->zero_grad();
    attention(x).square().sum().backward();
    const auto grad = attention->relative_position_bias_table.grad().clone();
    first = run == 0 ? grad : first;
    ASSERT_TRUE(grad.equal(first)) << "run " << run;
  }
}

TEST(WindowAttention, DropsOnlyWhileTraining) {
  torch::manual_seed(0);
  const auto x = torch::randn({2, 4, 8});
  for (const bool weights : {true, false}) {
    WindowAttention attention(
        WindowAttentionOptions(8, 2, 2).attn_drop(weights ? 0.5 : 0).proj_drop(weights ? 0 : 0.5));
    EXPECT_FALSE(attention(x).equal(attention(x)));
    attention->eval();
    EXPECT_TRUE(attention(x).equal(attention(x)));
  }
}

TEST(WindowAttention, RejectsATokenCountOtherThanTheWindow) {
  auto attention = averaging_attention();
  EXPECT_VALUE_ERROR(attention(torch::zeros({1, 5, 2})), "[B * G, 4, 2], got [1, 5, 2]");
  EXPECT_VALUE_ERROR(attention(torch::zeros({1, 4, 3})), "[B * G, 4, 2]");
  EXPECT_VALUE_ERROR(attention(torch::zeros({4, 2})), "[B * G, 4, 2]");
}

TEST(WindowAttention, RejectsAMaskThatDoesNotFit) {
  auto attention = averaging_attention();
  const auto x = torch::zeros({6, 4, 2});
  EXPECT_VALUE_ERROR(attention(x, torch::zeros({4, 4, 4})), "mask");
  EXPECT_VALUE_ERROR(attention(x, torch::zeros({0, 4, 4})), "mask");
  EXPECT_VALUE_ERROR(attention(x, torch::zeros({3, 1, 4})), "[G, 4, 4], got [3, 1, 4]");
  EXPECT_VALUE_ERROR(attention(x, torch::zeros({4, 4})), "[G, 4, 4]");
}

TEST(WindowAttention, RejectsOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(WindowAttention(WindowAttentionOptions(10, 4, 2)), "multiple of num_heads");
  EXPECT_VALUE_ERROR(WindowAttention(WindowAttentionOptions(8, 0, 2)), "num_heads");
  EXPECT_VALUE_ERROR(WindowAttention(WindowAttentionOptions(8, 2, 0)), "window_size");
  EXPECT_VALUE_ERROR(WindowAttention(WindowAttentionOptions(8, 2, 2).attn_drop(2)), "attn_drop");
  EXPECT_VALUE_ERROR(WindowAttention(WindowAttentionOptions(8, 2, 2).proj_drop(1)), "proj_drop");
}

}  // namespace
}  // namespace vitrine
