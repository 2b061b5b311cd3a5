#include "vitrine/train/gradient_clipping.h"

#include <gtest/gtest.h>

#include <vector>

#include "vitrine/error.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

/// A parameter with its gradient.
torch::Tensor with_gradient(const torch::Tensor& values, const torch::Tensor& gradient) {
  auto parameter = values.clone().requires_grad_(true);
  parameter.mutable_grad() = gradient.clone();
  return parameter;
}

TEST(ClipGradients, ScalesToTheNormAndGivesTheOneBefore) {
  const std::vector<torch::Tensor> gradients = {
      torch::tensor({3.0F, 0.0F}), torch::tensor({{4.0F}})};
  EXPECT_NEAR(clip_gradients(gradients, 0).item<double>(), 5, 1e-6);
  EXPECT_TENSOR_NEAR(gradients[0], torch::tensor({3.0F, 0.0F}), 0);
  EXPECT_NEAR(clip_gradients(gradients, 10).item<double>(), 5, 1e-6);
  EXPECT_TENSOR_NEAR(gradients[0], torch::tensor({3.0F, 0.0F}), 0);
  EXPECT_NEAR(clip_gradients(gradients, 1).item<double>(), 5, 1e-6);
  EXPECT_TENSOR_NEAR(gradients[0], torch::tensor({0.6F, 0.0F}), 1e-6);
  EXPECT_TENSOR_NEAR(gradients[1], torch::tensor({{0.8F}}), 1e-6);
}

TEST(ClipGradientValues, BoundsEveryNumber) {
  const std::vector<torch::Tensor> gradients = {
      torch::tensor({3.0F, -0.5F}), torch::tensor({{-4.0F}})};
  clip_gradient_values(gradients, 1);
  EXPECT_TENSOR_NEAR(gradients[0], torch::tensor({1.0F, -0.5F}), 0);
  EXPECT_TENSOR_NEAR(gradients[1], torch::tensor({{-1.0F}}), 0);
  EXPECT_VALUE_ERROR(clip_gradient_values(gradients, 0), "has to be above 0, but got 0");
}

TEST(ClipGradientsAdaptively, EqualsTimm) {
  for (const auto& expected : recipe_golden()["agc"]) {
    const auto parameter =
        with_gradient(to_tensor(expected["parameter"]), to_tensor(expected["gradient"]));
    clip_gradients_adaptively({parameter, torch::ones(2)}, expected["factor"].get<double>());
    EXPECT_TENSOR_NEAR(parameter.grad(), to_tensor(expected["clipped"]), 1e-7);
  }
}

TEST(ClipMode, HasANameEach) {
  for (const auto mode : {ClipMode::Norm, ClipMode::Value, ClipMode::Agc}) {
    EXPECT_EQ(parse_clip_mode(to_string(mode)), mode);
  }
  EXPECT_THROW(parse_clip_mode("norms"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine
