#include "vitrine/data/augment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/data/random.h"

#include "support/tensor_assert.h"

namespace vitrine {
namespace {

/// uint8 [H, W, 3] whose channels all hold `rows`.
torch::Tensor image_of(const torch::Tensor& rows) {
  return rows.to(torch::kUInt8).unsqueeze(2).repeat({1, 1, 3}).contiguous();
}

torch::Tensor plane(const torch::Tensor& image) {
  return image.select(2, 0).to(torch::kFloat32);
}

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

TEST(DrawAffine, StaysInItsRangesAndMovesByWholePixels) {
  const auto options = AugmentOptions().degrees(10).translate({0.1, 0.2}).affine_scale({0.9, 1.1});
  auto generator = make_generator(4);
  for (int i = 0; i < 200; ++i) {
    const auto map = draw_affine(50, 100, options, generator);
    ASSERT_LE(std::abs(map.angle), 10);
    ASSERT_LE(std::abs(map.translate_x), 10);
    ASSERT_LE(std::abs(map.translate_y), 10);
    ASSERT_EQ(map.translate_x, std::round(map.translate_x));
    ASSERT_GE(map.scale, 0.9);
    ASSERT_LE(map.scale, 1.1);
  }
}

TEST(ApplyAffine, LeavesAnImageAsItIs) {
  const auto image = image_of(torch::arange(20).view({4, 5}) * 10);
  EXPECT_TRUE(torch::equal(apply_affine(image, {0, 0, 0, 1}), image));
}

TEST(ApplyAffine, TurnsClockwise) {
  const auto image = image_of(torch::tensor({{10, 20}, {30, 40}}));
  const auto expected = torch::tensor({{30.0F, 10.0F}, {40.0F, 20.0F}});
  EXPECT_TENSOR_NEAR(plane(apply_affine(image, {90, 0, 0, 1})), expected, 0);
}

TEST(ApplyAffine, MovesToTheRightAndDownAndFillsWithBlack) {
  const auto image = image_of(torch::tensor({{10, 20, 30}, {40, 50, 60}}));
  const auto expected = torch::tensor({{0.0F, 0.0F, 0.0F}, {0.0F, 10.0F, 20.0F}});
  EXPECT_TENSOR_NEAR(plane(apply_affine(image, {0, 1, 1, 1})), expected, 0);
}

TEST(ApplyAffine, ZoomsAboutTheCentre) {
  // At twice the size the middle pixel of five spreads over its neighbours, half way to theirs.
  const auto row = torch::tensor({{0, 0, 100, 0, 0}}).repeat({5, 1});
  const auto expected = torch::tensor({0.0F, 50.0F, 100.0F, 50.0F, 0.0F});
  EXPECT_TENSOR_NEAR(plane(apply_affine(image_of(row), {0, 0, 0, 2}))[2], expected, 1);
}

TEST(ApplyAffine, RefusesWhatIsNoImage) {
  EXPECT_THROW(apply_affine(torch::zeros({2, 2, 3}), {0, 0, 0, 1}), c10::ValueError);
  EXPECT_THROW(apply_affine(torch::zeros({2, 2}, torch::kUInt8), {0, 0, 0, 1}), c10::ValueError);
}

AugmentOptions still() {
  return AugmentOptions().scale({1, 1}).ratio({1, 1}).hflip(0);
}

PreprocessOptions side(int64_t size) {
  return PreprocessOptions().height(size).width(size).mean({0, 0, 0}).std({1, 1, 1});
}

TEST(TrainTransform, DependsOnTheGeneratorAlone) {
  const auto image = image_of(torch::arange(256).view({16, 16}));
  const TrainTransform transform(
      AugmentOptions().degrees(10).translate({0.1, 0.1}).vflip(0.5), side(8));
  auto one = make_generator(5);
  auto same = make_generator(5);
  auto other = make_generator(6);
  const auto first = transform(image, one);
  EXPECT_EQ(first.sizes(), (std::vector<int64_t>{3, 8, 8}));
  EXPECT_EQ(first.scalar_type(), torch::kFloat32);
  EXPECT_TRUE(torch::equal(first, transform(image, same)));
  EXPECT_FALSE(torch::equal(first, transform(image, other)));
}

TEST(TrainTransform, FlipsByItsProbabilities) {
  const auto image = image_of(torch::arange(64).view({8, 8}) * 4);
  auto generator = make_generator(1);
  const auto plain = TrainTransform(still(), side(8))(image, generator);
  EXPECT_TENSOR_NEAR(plain, normalize(image, side(8)), 0);
  const auto mirrored = TrainTransform(still().hflip(1), side(8))(image, generator);
  EXPECT_TENSOR_NEAR(mirrored, plain.flip(2), 0);
  const auto upside_down = TrainTransform(still().vflip(1), side(8))(image, generator);
  EXPECT_TENSOR_NEAR(upside_down, plain.flip(1), 0);
}

TEST(TrainTransform, WithoutAugmentationScalesTheShorterSideAndCutsTheCentre) {
  const auto image = image_of(torch::arange(128).view({8, 16}));
  const TrainTransform transform(AugmentOptions().no_aug(true).vflip(1), side(8).crop_pct(0.5));
  auto generator = make_generator(1);
  EXPECT_TENSOR_NEAR(
      transform(image, generator), normalize(image.narrow(1, 4, 8).contiguous(), side(8)), 0);
}

TEST(TrainTransform, RefusesOptionsOutOfRange) {
  const auto make = [](const AugmentOptions& options) { TrainTransform(options, side(8)); };
  EXPECT_THROW(make(AugmentOptions().scale({0, 1})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().scale({0.5, 0.2})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().ratio({-1, 1})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().hflip(1.5)), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().degrees(-1)), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().translate({0, 2})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().train_interpolation({})), c10::ValueError);
}

}  // namespace
}  // namespace vitrine
