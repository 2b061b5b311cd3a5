#include "vitrine/train/grad_scaler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/tensor_assert.h"
#include "support/value_error.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

GradScalerOptions options_of(const nlohmann::json& golden) {
  return GradScalerOptions()
      .init_scale(golden["init_scale"].get<double>())
      .growth_interval(golden["growth_interval"].get<int64_t>());
}

/// A scaled gradient of two numbers; JSON has no infinity, so that they are texts.
std::vector<torch::Tensor> gradients_of(const nlohmann::json& step) {
  std::vector<torch::Tensor> gradients;
  for (const auto& text : step["gradients"]) {
    gradients.push_back(torch::full({1}, std::stod(text.get<std::string>())));
  }
  return gradients;
}

TEST(GradScaler, KeepsTorchsRules) {
  const auto golden = train_golden()["grad_scaler"];
  GradScaler scaler(torch::kCPU, options_of(golden));
  int64_t skipped = 0;
  for (const auto& step : golden["steps"]) {
    const auto gradients = gradients_of(step);
    const bool found = scaler.unscale(gradients).item<double>() != 0;
    EXPECT_EQ(found, step["skipped"].get<bool>());
    if (!found) {
      EXPECT_TRUE(torch::equal(torch::cat(gradients), to_tensor(step["unscaled"])));
    }
    scaler.update(found);
    skipped += found ? 1 : 0;
    EXPECT_EQ(scaler.state().scale, step["scale"].get<double>());
    EXPECT_EQ(scaler.state().growth_tracker, step["growth_tracker"].get<int64_t>());
    EXPECT_EQ(scaler.state().skipped_updates, skipped);
  }
  EXPECT_GT(skipped, 0);
}

TEST(GradScaler, GoesOnFromItsState) {
  const auto golden = train_golden()["grad_scaler"];
  GradScaler scaler(torch::kCPU, options_of(golden));
  for (const auto& step : golden["steps"]) {
    // Another one takes over after every update.
    GradScaler next(torch::kCPU, options_of(golden));
    next.load_state(scaler.state());
    scaler = next;
    scaler.update(scaler.unscale(gradients_of(step)).item<double>() != 0);
    EXPECT_EQ(scaler.state().scale, step["scale"].get<double>());
  }
}

TEST(GradScaler, TakesALossThatIsNotFiniteForGradientsThatOverflow) {
  for (const double loss : {NAN, INFINITY, -INFINITY}) {
    GradScaler scaler(torch::kCPU);
    const std::vector<torch::Tensor> gradients = {torch::ones({2})};
    EXPECT_EQ(scaler.unscale(gradients, torch::ones({})).item<double>(), 0);
    scaler.update(/*skipped=*/false);
    EXPECT_EQ(scaler.state().scale, 65536);
    EXPECT_EQ(scaler.unscale(gradients, torch::full({}, loss)).item<double>(), 1);
    scaler.update(/*skipped=*/true);
    EXPECT_EQ(scaler.state().scale, 32768);
    EXPECT_EQ(scaler.state().growth_tracker, 0);
  }
}

TEST(GradScaler, ScalesTheLossAndItsGradient) {
  const GradScaler scaler(torch::kCPU);
  const auto x = torch::ones({}, torch::requires_grad());
  const auto scaled = scaler.scale(3 * x);
  EXPECT_EQ(scaled.item<double>(), 3 * 65536);
  scaled.backward();
  EXPECT_EQ(x.grad().item<double>(), 3 * 65536);
}

TEST(GradScaler, RefusesOptionsOutOfRange) {
  const auto make = [](const GradScalerOptions& options) { GradScaler(torch::kCPU, options); };
  EXPECT_VALUE_ERROR((make(GradScalerOptions().init_scale(0)), 0), "init_scale");
  EXPECT_VALUE_ERROR((make(GradScalerOptions().init_scale(INFINITY)), 0), "init_scale");
  EXPECT_VALUE_ERROR((make(GradScalerOptions().growth_factor(1)), 0), "growth_factor");
  EXPECT_VALUE_ERROR((make(GradScalerOptions().backoff_factor(1)), 0), "backoff_factor");
  EXPECT_VALUE_ERROR((make(GradScalerOptions().growth_interval(0)), 0), "growth_interval");
}

}  // namespace
}  // namespace vitrine
