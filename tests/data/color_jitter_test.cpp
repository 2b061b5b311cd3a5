#include "vitrine/data/color_jitter.h"

#include <gtest/gtest.h>

#include <set>

#include "vitrine/data/random.h"

#include "support/picture.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

torch::Tensor grey(int value) {
  return torch::full({2, 3, 3}, value, torch::kUInt8);
}

TEST(ColorJitter, DrawsFactorsOfBrightnessInItsRange) {
  const ColorJitter jitter({0.5, 0, 0});
  auto generator = make_generator(1);
  int least = 255;
  int most = 0;
  for (int i = 0; i < 500; ++i) {
    const auto value = jitter(grey(100), generator)[0][0][0].item<int>();
    least = std::min(least, value);
    most = std::max(most, value);
  }
  EXPECT_GE(least, 50);
  EXPECT_LE(least, 51);
  EXPECT_LE(most, 150);
  EXPECT_GE(most, 148);
}

TEST(ColorJitter, LeavesGreyGreyWhateverTheHue) {
  const ColorJitter jitter({0, 0, 0.9, 0.5});
  auto generator = make_generator(1);
  EXPECT_TRUE(torch::equal(jitter(grey(77), generator), grey(77)));
}

TEST(ColorJitter, ChangesNothingWithoutStrength) {
  auto generator = make_generator(1);
  EXPECT_TRUE(torch::equal(ColorJitter({})(grey(77), generator), grey(77)));
  EXPECT_TRUE(torch::equal(ColorJitter({0.0})(grey(77), generator), grey(77)));
}

TEST(ColorJitter, DrawsTheOrder) {
  // Clipping makes brightness and contrast differ by their order.
  const ColorJitter jitter({0.9, 0.9, 0.9, 0.2});
  auto one = make_generator(4);
  auto same = make_generator(4);
  const auto image = torch::tensor(draw_picture(6, 5, 1), torch::kUInt8).view({6, 5, 3});
  std::set<int64_t> sums;
  for (int i = 0; i < 30; ++i) {
    const auto result = jitter(image, one);
    EXPECT_TRUE(torch::equal(result, jitter(image, same)));
    sums.insert(result.sum().item<int64_t>());
  }
  EXPECT_GT(sums.size(), 25U);
}

TEST(ColorJitter, RefusesOtherNumbers) {
  EXPECT_VALUE_ERROR(ColorJitter({0.1, 0.1}), "1, 3 or 4 numbers, but got 2");
  EXPECT_VALUE_ERROR(ColorJitter({-0.1}), "at least 0");
  EXPECT_VALUE_ERROR(ColorJitter({0.1, 0.1, 0.1, 0.6}), "at most 0.5, but got 0.6");
}

}  // namespace
}  // namespace vitrine
