#include "vitrine/data/random_affine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/data/random.h"

#include "grey_image.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

torch::Tensor plane(const torch::Tensor& image) {
  return image.select(2, 0).to(torch::kFloat32);
}

TEST(DrawAffine, StaysInItsRangesAndMovesByWholePixels) {
  const AffineRange range{/*degrees=*/10, /*translate=*/{0.1, 0.2}, /*scale=*/{0.9, 1.1}};
  auto generator = make_generator(4);
  for (int i = 0; i < 200; ++i) {
    const auto map = draw_affine(50, 100, range, generator);
    ASSERT_LE(std::abs(map.angle), 10);
    ASSERT_LE(std::abs(map.translate_x), 10);
    ASSERT_LE(std::abs(map.translate_y), 10);
    ASSERT_EQ(map.translate_x, std::round(map.translate_x));
    ASSERT_GE(map.scale, 0.9);
    ASSERT_LE(map.scale, 1.1);
  }
}

TEST(ApplyAffine, LeavesAnImageAsItIs) {
  const auto image = grey_image(torch::arange(20).view({4, 5}) * 10);
  EXPECT_TRUE(torch::equal(apply_affine(image, {0, 0, 0, 1}), image));
}

TEST(ApplyAffine, TurnsClockwise) {
  const auto image = grey_image(torch::tensor({{10, 20}, {30, 40}}));
  const auto expected = torch::tensor({{30.0F, 10.0F}, {40.0F, 20.0F}});
  EXPECT_TENSOR_NEAR(plane(apply_affine(image, {90, 0, 0, 1})), expected, 0);
}

TEST(ApplyAffine, MovesToTheRightAndDownAndFillsWithBlack) {
  const auto image = grey_image(torch::tensor({{10, 20, 30}, {40, 50, 60}}));
  const auto expected = torch::tensor({{0.0F, 0.0F, 0.0F}, {0.0F, 10.0F, 20.0F}});
  EXPECT_TENSOR_NEAR(plane(apply_affine(image, {0, 1, 1, 1})), expected, 0);
}

TEST(ApplyAffine, ZoomsAboutTheCentre) {
  // At twice the size the middle pixel of five spreads over its neighbours, half way to theirs.
  const auto row = torch::tensor({{0, 0, 100, 0, 0}}).repeat({5, 1});
  const auto expected = torch::tensor({0.0F, 50.0F, 100.0F, 50.0F, 0.0F});
  EXPECT_TENSOR_NEAR(plane(apply_affine(grey_image(row), {0, 0, 0, 2}))[2], expected, 1);
}

TEST(ApplyAffine, RefusesWhatIsNoImage) {
  EXPECT_THROW(apply_affine(torch::zeros({2, 2, 3}), {0, 0, 0, 1}), c10::ValueError);
  EXPECT_THROW(apply_affine(torch::zeros({2, 2}, torch::kUInt8), {0, 0, 0, 1}), c10::ValueError);
}

}  // namespace
}  // namespace vitrine
