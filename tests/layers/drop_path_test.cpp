#include "vitrine/layers/drop_path.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

TEST(DropPath, DropsWholeImagesAndScalesTheOthers) {
  torch::manual_seed(0);
  DropPath drop(0.25);
  const auto y = drop(torch::ones({200, 3, 4})).flatten(1);  // [B, 12]
  const auto kept = y.select(1, 0) > 0;
  const auto expected = kept.to(torch::kFloat).div(0.75).unsqueeze(1).expand({200, 12});
  EXPECT_TENSOR_NEAR(y, expected, 1e-6);
  EXPECT_TRUE(kept.any().item<bool>());
  EXPECT_FALSE(kept.all().item<bool>());
}

TEST(DropPath, KeepsTheMean) {
  torch::manual_seed(0);
  DropPath drop(0.3);
  // The deviation of the mean is sqrt(0.3 / 0.7 / 100000) = 0.002.
  EXPECT_NEAR(drop(torch::ones({100000, 1})).mean().item<double>(), 1, 0.01);
}

TEST(DropPath, IsTheIdentityInEvaluation) {
  DropPath drop(0.9);
  drop->eval();
  const auto x = torch::randn({8, 2});
  EXPECT_TRUE(drop(x).is_same(x));
}

TEST(DropPath, WithRateZeroDrawsNoRandomNumber) {
  DropPath drop(0);
  torch::manual_seed(0);
  const auto expected = torch::randn({1});
  torch::manual_seed(0);
  drop(torch::ones({4, 1}));
  EXPECT_TRUE(torch::randn({1}).equal(expected));
}

TEST(DropPath, RejectsARateOutOfRange) {
  EXPECT_VALUE_ERROR(DropPath(1.0), "[0, 1), got 1");
  EXPECT_VALUE_ERROR(DropPath(-0.1), "[0, 1)");
  EXPECT_VALUE_ERROR(DropPath(NAN), "[0, 1)");
}

TEST(DropPathRates, RiseLinearlyFromZero) {
  const auto rates = drop_path_rates(0.3, 4);
  ASSERT_EQ(rates.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(rates[i], 0.1 * static_cast<double>(i), 1e-12);
  }
  EXPECT_EQ(drop_path_rates(0.3, 1), std::vector<double>{0.0});
  EXPECT_TRUE(drop_path_rates(0.3, 0).empty());
}

TEST(DropPathRates, RejectWhatNoBlockCouldTake) {
  EXPECT_VALUE_ERROR(drop_path_rates(1.0, 1), "[0, 1), got 1");
  EXPECT_VALUE_ERROR(drop_path_rates(-0.5, 3), "[0, 1)");
  EXPECT_VALUE_ERROR(drop_path_rates(0.1, -1), "depth");
}

}  // namespace
}  // namespace vitrine
