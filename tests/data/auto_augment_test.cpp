#include "vitrine/data/auto_augment.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "vitrine/data/random.h"

#include "support/picture.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

torch::Tensor picture(int64_t height = 20, int64_t width = 30) {
  return torch::tensor(draw_picture(height, width, /*seed=*/1), torch::kUInt8)
      .view({height, width, 3});
}

TEST(AutoAugment, FollowsFromTheGeneratorAlone) {
  for (const auto* text :
       {"rand-m9-n3-mstd0.5-inc1", "rand-mstd101-tweights", "v0-mstd1", "ta_wide", "3a"}) {
    const AutoAugment augment(text);
    auto one = make_generator(5);
    auto same = make_generator(5);
    int changed = 0;
    for (int i = 0; i < 20; ++i) {
      const auto image = picture();
      const auto result = augment(image, one);
      EXPECT_EQ(result.sizes(), image.sizes());
      EXPECT_TRUE(torch::equal(result, augment(image, same))) << text;
      EXPECT_TRUE(torch::equal(image, picture())) << text;  // left as it was
      changed += torch::equal(result, image) ? 0 : 1;
    }
    EXPECT_GT(changed, 8) << text;
  }
}

TEST(AutoAugment, LeavesImagesAloneAtProbability0) {
  auto generator = make_generator(1);
  const AutoAugment augment("rand-m9-p0");
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(torch::equal(augment(picture(), generator), picture()));
  }
}

/// Colours of the corner of turned images.
std::set<std::vector<std::uint8_t>> corners(const AutoAugment& augment) {
  auto generator = make_generator(1);
  std::set<std::vector<std::uint8_t>> found;
  for (int i = 0; i < 200; ++i) {
    const auto corner = augment(torch::full({9, 9, 3}, 200, torch::kUInt8), generator)[0][0];
    const auto* const values = corner.const_data_ptr<std::uint8_t>();
    found.insert({values[0], values[1], values[2]});
  }
  return found;
}

TEST(AutoAugment, FillsWithTheColourThatItIsGiven) {
  const AutoAugment augment("rand-m10-n1-p1-t3aw", AutoAugmentOptions().fill({1, 2, 3}));
  EXPECT_EQ(corners(augment).count({1, 2, 3}), 1U);
  EXPECT_EQ(
      corners(AutoAugment("ta_wide", AutoAugmentOptions().fill({1, 2, 3}))).count({0, 0, 0}), 1U);
}

TEST(AutoAugment, GreysSolarizesOrBlursInThreeWays) {
  const AutoAugment augment("3a");
  auto generator = make_generator(2);
  const auto image = picture();
  int grey = 0;
  int solarized = 0;
  for (int i = 0; i < 300; ++i) {
    const auto result = augment(image, generator).to(torch::kInt64);
    const auto inverted = torch::where(image < 128, image, 255 - image).to(torch::kInt64);
    solarized += torch::equal(result, inverted) ? 1 : 0;
    grey += torch::equal(result.select(2, 0), result.select(2, 2)) ? 1 : 0;
  }
  EXPECT_NEAR(grey, 100, 35);
  EXPECT_NEAR(solarized, 100, 35);
}

TEST(AutoAugment, DrawsWeightedOperationsWithoutRepetition) {
  // All fifteen are carried out, whatever their weights; with one missing inversion stays alone.
  const AutoAugment all("rand-m0-n15-p1-tweights");
  auto generator = make_generator(3);
  const auto image = torch::full({4, 4, 3}, 100, torch::kUInt8);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(torch::equal(all(image, generator), image));
  }
}

TEST(AutoAugment, RefusesWhatIsNoPolicyOrImage) {
  EXPECT_VALUE_ERROR(AutoAugment("rand-q3"), "aa: got rand-q3, expected a section m, n, p");
  EXPECT_VALUE_ERROR(
      AutoAugment("rand", AutoAugmentOptions().interpolation({})), "interpolation of aa");
  auto generator = make_generator(1);
  EXPECT_VALUE_ERROR(
      AutoAugment("rand")(torch::zeros({2, 2, 3}), generator), "image of aa has to be uint8");
}

}  // namespace
}  // namespace vitrine
