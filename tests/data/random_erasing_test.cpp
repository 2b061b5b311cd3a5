#include "vitrine/data/random_erasing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "vitrine/data/random.h"
#include "vitrine/error.h"

#include "golden_json.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

TEST(RandomErasing, TakesTheBoxesOfTimmForTheSameNumbers) {
  const auto cases = augment_golden()["erasing"];
  ASSERT_GE(cases.size(), 60U);
  const RandomErasingOptions options;
  const auto [low, high] = options.aspect();
  for (const auto& one : cases) {
    const auto share = options.area().first +
                       (options.area().second - options.area().first) * one[3].get<double>();
    const auto aspect =
        std::exp(std::log(low) + (std::log(high) - std::log(low)) * one[4].get<double>());
    const auto box = erased_box(one[0], one[1], share / one[2].get<double>(), aspect);
    ASSERT_EQ(box.has_value(), !one[5].empty()) << one.dump();
    if (box) {
      EXPECT_EQ(box->height, one[5][0].get<int64_t>()) << one.dump();
      EXPECT_EQ(box->width, one[5][1].get<int64_t>()) << one.dump();
    }
  }
}

RandomErasingOptions always(EraseMode mode) {
  return RandomErasingOptions().probability(1).mode(mode);
}

/// Ones of which some were erased: 0 where they were, 1 elsewhere, by the first channel.
torch::Tensor kept_after(const RandomErasing& erasing, at::Generator& generator) {
  auto image = torch::ones({3, 20, 30});
  erasing(image, generator);
  return (image[0] == 1).to(torch::kInt64);
}

TEST(RandomErasing, WritesZerosOverOneBoxOfItsArea) {
  const RandomErasing erasing(always(EraseMode::Const));
  auto generator = make_generator(1);
  for (int i = 0; i < 200; ++i) {
    auto image = torch::ones({3, 20, 30});
    erasing(image, generator);
    const auto erased = (image[0] == 0);
    EXPECT_TRUE(torch::equal(image[0], image[2]));
    const auto rows = erased.any(1).sum().item<int64_t>();
    const auto columns = erased.any(0).sum().item<int64_t>();
    const auto count = erased.sum().item<int64_t>();
    EXPECT_EQ(count, rows * columns);
    EXPECT_GE(count, 6);    // 2 % of 600, with sides rounded
    EXPECT_LE(count, 225);  // a third
  }
}

TEST(RandomErasing, ReachesEveryPixel) {
  const RandomErasing erasing(always(EraseMode::Const));
  auto generator = make_generator(1);
  auto erased = torch::zeros({20, 30}, torch::kInt64);
  for (int i = 0; i < 600; ++i) {
    erased += 1 - kept_after(erasing, generator);
  }
  EXPECT_GT(erased.min().item<int64_t>(), 0);
}

TEST(RandomErasing, DrawsOneColourForABoxOrOneForEachPixel) {
  auto generator = make_generator(1);
  auto image = torch::full({3, 20, 30}, 100.0);
  RandomErasing(always(EraseMode::Rand))(image, generator);
  EXPECT_EQ(std::get<0>(torch::_unique2(image[0])).size(0), 2);
  EXPECT_FALSE(torch::equal(image[0], image[1]));
  auto other = torch::full({3, 64, 64}, 100.0);
  RandomErasing(always(EraseMode::Pixel).area({0.3, 0.3}))(other, generator);
  const auto drawn = other.masked_select(other != 100.0);
  EXPECT_GT(std::get<0>(torch::_unique2(drawn)).size(0), drawn.size(0) * 9 / 10);
  EXPECT_NEAR(drawn.mean().item<double>(), 0, 0.1);
  EXPECT_NEAR(drawn.std().item<double>(), 1, 0.1);
}

TEST(RandomErasing, ErasesByItsProbability) {
  auto generator = make_generator(7);
  const RandomErasing erasing(RandomErasingOptions().probability(0.25));
  int touched = 0;
  for (int i = 0; i < 1000; ++i) {
    touched += kept_after(erasing, generator).min().item<int64_t>() == 0 ? 1 : 0;
  }
  EXPECT_NEAR(touched, 250, 60);
}

TEST(RandomErasing, RefusesOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(RandomErasing(RandomErasingOptions().probability(2)), "reprob");
  EXPECT_VALUE_ERROR(RandomErasing(RandomErasingOptions().count(0)), "recount");
  EXPECT_VALUE_ERROR(RandomErasing(RandomErasingOptions().area({0, 1})), "re_area");
  EXPECT_VALUE_ERROR(RandomErasing(RandomErasingOptions().aspect({2, 1})), "re_aspect");
  EXPECT_THROW(parse_erase_mode("pixels"), UnknownNameError);
  EXPECT_EQ(to_string(parse_erase_mode("rand")), "rand");
}

}  // namespace
}  // namespace vitrine
