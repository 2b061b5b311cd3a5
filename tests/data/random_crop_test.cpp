#include "vitrine/data/random_crop.h"

#include <gtest/gtest.h>

#include "vitrine/data/random.h"

namespace vitrine {
namespace {

TEST(DrawCrop, StaysInsideTheImageAndItsRanges) {
  auto generator = make_generator(1);
  for (int i = 0; i < 1000; ++i) {
    const auto box = draw_crop(200, 300, {0.2, 0.8}, {0.5, 2.0}, generator);
    ASSERT_GE(box.top, 0);
    ASSERT_GE(box.left, 0);
    ASSERT_LE(box.top + box.height, 200);
    ASSERT_LE(box.left + box.width, 300);
    const auto area = static_cast<double>(box.height * box.width) / (200.0 * 300.0);
    const auto ratio = static_cast<double>(box.width) / static_cast<double>(box.height);
    ASSERT_GE(area, 0.195);  // sides are rounded to whole pixels
    ASSERT_LE(area, 0.805);
    ASSERT_GE(ratio, 0.49);
    ASSERT_LE(ratio, 2.05);
  }
}

TEST(DrawCrop, TakesTheCentreWhereNothingFits) {
  auto generator = make_generator(1);
  // The whole area of a wide image fits no box that is at most as wide as high.
  const auto wide = draw_crop(100, 400, {1, 1}, {1, 1}, generator);
  EXPECT_EQ(wide.top, 0);
  EXPECT_EQ(wide.left, 150);
  EXPECT_EQ(wide.height, 100);
  EXPECT_EQ(wide.width, 100);
  const auto tall = draw_crop(400, 100, {1, 1}, {2, 2}, generator);
  EXPECT_EQ(tall.height, 50);
  EXPECT_EQ(tall.width, 100);
  EXPECT_EQ(tall.top, 175);
}

TEST(DrawCrop, TakesAllOfASquareWhereItMust) {
  auto generator = make_generator(1);
  const auto box = draw_crop(8, 8, {1, 1}, {1, 1}, generator);
  EXPECT_EQ(box.height, 8);
  EXPECT_EQ(box.width, 8);
}

}  // namespace
}  // namespace vitrine
