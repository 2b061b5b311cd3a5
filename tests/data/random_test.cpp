#include "vitrine/data/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace vitrine {
namespace {

TEST(MixSeed, DependsOnEveryNumber) {
  const std::set<std::uint64_t> seeds = {
      mix_seed(0, 0, 0),
      mix_seed(1, 0, 0),
      mix_seed(0, 1, 0),
      mix_seed(0, 0, 1),
      mix_seed(1, 1, 1)};
  EXPECT_EQ(seeds.size(), 5U);
  EXPECT_EQ(mix_seed(3, 4, 5), mix_seed(3, 4, 5));
}

TEST(DrawUniform, FillsItsRangeEvenly) {
  auto generator = make_generator(1);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto value = draw_uniform(generator, -2, 4);
    ASSERT_GE(value, -2);
    ASSERT_LT(value, 4);
    sum += value;
  }
  EXPECT_NEAR(sum / 10000, 1.0, 0.1);  // deviation of the mean: 0.017
  EXPECT_EQ(draw_uniform(generator, 3, 3), 3);
}

TEST(DrawIndex, GivesEveryIndexAboutAsOften) {
  auto generator = make_generator(2);
  std::vector<int> counts(7);
  for (int i = 0; i < 7000; ++i) {
    ++counts.at(static_cast<std::size_t>(draw_index(generator, 7)));
  }
  for (const auto count : counts) {
    EXPECT_NEAR(count, 1000, 150);  // deviation: 29
  }
  EXPECT_EQ(draw_index(generator, 1), 0);
  EXPECT_THROW(draw_index(generator, 0), c10::ValueError);
}

TEST(DrawNormal, HasMean0AndDeviation1) {
  auto generator = make_generator(1);
  double sum = 0;
  double squares = 0;
  int beyond = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto value = draw_normal(generator);
    sum += value;
    squares += value * value;
    beyond += std::abs(value) > 1.96 ? 1 : 0;
  }
  EXPECT_NEAR(sum / 20000, 0, 0.03);
  EXPECT_NEAR(squares / 20000, 1, 0.04);
  EXPECT_NEAR(beyond, 1000, 130);
}

}  // namespace
}  // namespace vitrine
