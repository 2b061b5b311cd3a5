#pragma once

#include <torch/types.h>

#include <gtest/gtest.h>

#include <sstream>

namespace vitrine {

/// Whether `actual` and `expected` have one shape and differ nowhere by more than `tolerance`; if
/// not, the worst element, its place and both values.
inline testing::AssertionResult tensors_near(
    const torch::Tensor& actual, const torch::Tensor& expected, double tolerance) {
  std::ostringstream shapes;
  shapes << "shapes differ: " << actual.sizes() << " and " << expected.sizes();
  if (actual.sizes() != expected.sizes()) {
    return testing::AssertionFailure() << shapes.str();
  }
  if (actual.numel() == 0) {
    return testing::AssertionSuccess();
  }
  const auto a = actual.detach().cpu().to(torch::kDouble).flatten();
  const auto b = expected.detach().cpu().to(torch::kDouble).flatten();
  // NaN compares as infinitely far, so that it can never pass.
  const auto distance = (a - b).abs().nan_to_num(INFINITY, INFINITY);
  const auto worst = distance.argmax().item<int64_t>();
  if (distance[worst].item<double>() <= tolerance) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "worst at flat index " << worst << " of " << actual.sizes() << ": "
         << a[worst].item<double>() << " and " << b[worst].item<double>() << ", apart by "
         << distance[worst].item<double>() << ", more than " << tolerance;
}

}  // namespace vitrine

#define EXPECT_TENSOR_NEAR(actual, expected, tolerance) \
  EXPECT_TRUE(::vitrine::tensors_near(actual, expected, tolerance))
