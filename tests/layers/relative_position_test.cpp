#include "vitrine/layers/relative_position.h"

#include <gtest/gtest.h>

#include <cmath>

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

}  // namespace
}  // namespace vitrine
