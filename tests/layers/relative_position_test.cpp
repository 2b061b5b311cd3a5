#include "vitrine/layers/relative_position.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/weights/safetensors.h"

#include "support/reference_fill.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

TEST(OffsetIndex, NumbersOffsetsRowByRow) {
  // Of a row of three tokens: columns apart by -2 to 2, seen from the query.
  const auto expected = torch::tensor({2, 1, 0, 3, 2, 1, 4, 3, 2}, torch::kLong).view({3, 3});
  EXPECT_TRUE(offset_index({1, 3}).equal(expected));
  EXPECT_TRUE(offset_index({3, 1}).equal(expected));
  EXPECT_EQ(offset_index({2, 3})[0][5].item<int64_t>(), 0);   // up and left of the last
  EXPECT_EQ(offset_index({2, 3})[5][0].item<int64_t>(), 14);  // the other way
}

TEST(LogSpacedOffsets, GiveRowsThenColumnsInTheOrderOfTheIndex) {
  // An offset of one token in a window of two reaches across it: 8, and log8(9).
  const auto far = static_cast<float>(std::log2(9.0) / 3);
  const auto expected = torch::tensor(
      {-far,
       -far,
       -far,
       0.0F,
       -far,
       far,
       0.0F,
       -far,
       0.0F,
       0.0F,
       0.0F,
       far,
       far,
       -far,
       far,
       0.0F,
       far,
       far});
  EXPECT_TENSOR_NEAR(log_spaced_offsets({2, 2}, {2, 2}), expected.view({9, 2}), 1e-6);
}

TEST(LogSpacedOffsets, AreScaledByTheReferenceWindow) {
  // One token of two steps: 4, and log8(5).
  EXPECT_NEAR(log_spaced_offsets({1, 2}, {3, 3})[2][1].item<double>(), std::log2(5.0) / 3, 1e-6);
  // From windows of 12 to windows of 16: 8 * 15 / 11 at the end.
  const auto wider = log_spaced_offsets({16, 16}, {12, 12});
  EXPECT_NEAR(wider.max().item<double>(), std::log2(1 + 120.0 / 11) / 3, 1e-6);
  EXPECT_NEAR(wider.min().item<double>(), -wider.max().item<double>(), 0);
}

TEST(LogSpacedOffsets, OfASingleTokenAreZero) {
  EXPECT_TENSOR_NEAR(log_spaced_offsets({1, 1}, {1, 1}), torch::zeros({1, 2}), 0);
}

TEST(LogSpacedOffsets, RejectWindowsOfNothing) {
  EXPECT_VALUE_ERROR(offset_index({0, 2}), "1x1, got 0x2");
  EXPECT_VALUE_ERROR(log_spaced_offsets({2, 0}, {2, 2}), "1x1, got 2x0");
  EXPECT_VALUE_ERROR(log_spaced_offsets({2, 2}, {2, -1}), "1x1, got 2x-1");
}

TEST(ResizeBiasTable, GivesTimmsTables) {
  const auto golden = read_safetensors(VITRINE_TEST_DATA "/golden/sizes.safetensors").tensors;
  const std::vector<std::pair<Size2, Size2>> sizes = {
      {{7, 7}, {8, 8}},
      {{7, 7}, {12, 12}},
      {{12, 12}, {7, 7}},
      {{2, 7}, {5, 3}},
      {{1, 4}, {3, 4}},
      {{3, 2}, {1, 9}}};
  const auto text = [](Size2 of) { return std::to_string(of[0]) + "x" + std::to_string(of[1]); };
  for (const auto& [from, to] : sizes) {
    const auto table = reference_tensor("table", {(2 * from[0] - 1) * (2 * from[1] - 1), 2});
    const auto name = "table." + text(from) + "_" + text(to);
    SCOPED_TRACE(name);
    EXPECT_TENSOR_NEAR(resize_bias_table(table, from, to), golden[name], 1e-6);
  }
}

TEST(ResizeBiasTable, KeepsTheCentreAndTheSidesApart) {
  // Biases that depend on the column alone go on doing so, and that of no offset stays.
  const auto row = torch::tensor({5.0F, 1.0F, 7.0F});
  const auto larger = resize_bias_table(row.repeat({3}).view({9, 1}), {2, 2}, {4, 4}).view({7, 7});
  EXPECT_TENSOR_NEAR(larger, larger.slice(0, 0, 1).expand({7, 7}), 1e-6);
  // A single step from the centre is one step still; beyond it the last bias holds.
  const auto expected = torch::tensor({5.0F, 5.0F, 5.0F, 1.0F, 7.0F, 7.0F, 7.0F});
  EXPECT_TENSOR_NEAR(larger[0], expected, 1e-6);
}

TEST(ResizeBiasTable, OfTheSameWindowIsTheTableItself) {
  const auto table = torch::randn({15, 2});
  EXPECT_TRUE(resize_bias_table(table, {2, 3}, {2, 3}).is_same(table));
}

TEST(ResizeBiasTable, KeepsTheType) {
  const auto table = torch::randn({9, 2}).to(torch::kBFloat16);
  EXPECT_EQ(resize_bias_table(table, {2, 2}, {3, 3}).scalar_type(), torch::kBFloat16);
}

TEST(ResizeBiasTable, RejectsTablesOfOtherWindows) {
  EXPECT_VALUE_ERROR(resize_bias_table(torch::zeros({9, 2}), {2, 3}, {3, 3}), "[15, M]");
  EXPECT_VALUE_ERROR(resize_bias_table(torch::zeros({9}), {2, 2}, {3, 3}), "[9, M]");
  EXPECT_VALUE_ERROR(resize_bias_table(torch::zeros({9, 2}), {2, 2}, {0, 3}), "1x1, got 0x3");
}

}  // namespace
}  // namespace vitrine
