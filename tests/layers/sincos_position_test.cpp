#include "vitrine/layers/sincos_position.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

torch::Tensor row_of(const std::vector<double>& values) {
  return torch::tensor(values).to(torch::kFloat);
}

TEST(SincosPosition, GivesColumnThenRow) {
  // Eight channels: frequencies 1 and 1 / 10000.
  const auto table = sincos_position_embedding({2, 3}, 8);
  EXPECT_EQ(table.sizes(), (std::vector<int64_t>{1, 6, 8}));
  const auto near = std::sin(1e-4);
  const auto flat = std::cos(1e-4);
  EXPECT_TENSOR_NEAR(table[0][0], row_of({0, 0, 1, 1, 0, 0, 1, 1}), 1e-6);
  EXPECT_TENSOR_NEAR(table[0][1], row_of({std::sin(1), near, std::cos(1), flat, 0, 0, 1, 1}), 1e-6);
  EXPECT_TENSOR_NEAR(table[0][3], row_of({0, 0, 1, 1, std::sin(1), near, std::cos(1), flat}), 1e-6);
}

TEST(SincosPosition, SpacesFrequenciesGeometrically) {
  const auto table = sincos_position_embedding({1, 2}, 12)[0][1];  // 1, 1 / 100, 1 / 10000
  EXPECT_NEAR(table[1].item<double>(), std::sin(0.01), 1e-6);
  EXPECT_NEAR(table[2].item<double>(), std::sin(0.0001), 1e-6);
}

TEST(SincosPosition, RejectsSizesOutOfRange) {
  EXPECT_VALUE_ERROR(sincos_position_embedding({2, 2}, 10), "multiple of 4, at least 8, got 10");
  EXPECT_VALUE_ERROR(sincos_position_embedding({2, 2}, 4), "got 4");
  EXPECT_VALUE_ERROR(sincos_position_embedding({0, 2}, 8), "1x1, got 0x2");
}

}  // namespace
}  // namespace vitrine
