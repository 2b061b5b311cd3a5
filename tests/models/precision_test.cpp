#include "vitrine/precision.h"

#include <ATen/autocast_mode.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "vitrine/error.h"

#include "small_models.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

torch::ScalarType product_type() {
  return torch::ones({2, 2}).mm(torch::ones({2, 2})).scalar_type();
}

TEST(PrecisionScope, HoldsForItsThreadUntilItsEnd) {
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  {
    const PrecisionScope half(Precision::Fp16, torch::kCPU);
    EXPECT_EQ(product_type(), torch::kHalf);
    std::thread([] { EXPECT_EQ(product_type(), torch::kFloat); }).join();
    {
      const PrecisionScope full(Precision::Fp32, torch::kCPU);
      EXPECT_EQ(product_type(), torch::kFloat);
    }
    EXPECT_EQ(product_type(), torch::kHalf);
  }
  EXPECT_EQ(product_type(), torch::kBFloat16);
  EXPECT_TRUE(at::autocast::is_autocast_cache_enabled());
  at::autocast::set_autocast_enabled(at::kCPU, false);
  try {
    const PrecisionScope scope(Precision::Bf16, torch::kCPU);
    EXPECT_EQ(product_type(), torch::kBFloat16);
    throw std::runtime_error("an error on the way");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(product_type(), torch::kFloat);
}

TEST(PrecisionScope, LeavesNoCastBehindThatHasNoGradient) {
  // LibTorch would keep the cast of a weight from a pass without gradients for one with them.
  const auto weight = torch::ones({2, 2}, torch::requires_grad());
  at::autocast::set_autocast_enabled(at::kCPU, true);
  {
    const torch::NoGradGuard no_grad;
    const PrecisionScope scope(Precision::Bf16, torch::kCPU);
    torch::ones({2, 2}).mm(weight);
  }
  EXPECT_TRUE(torch::ones({2, 2}).mm(weight).requires_grad());
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
}

TEST(Precision, HasNames) {
  for (const auto precision : {Precision::Fp32, Precision::Bf16, Precision::Fp16}) {
    EXPECT_EQ(parse_precision(to_string(precision)), precision);
  }
  EXPECT_THROW(parse_precision("fp8"), UnknownNameError);
}

TEST(EveryModel, AnswersAndLearnsAtAnyPrecision) {
  for (const auto& [name, model] : small_models()) {
    model->eval();
    torch::manual_seed(1);
    const auto images = torch::randn({2, 3, 32, 32});
    const auto run = [&, &classifier = *model](Precision precision) {
      classifier.zero_grad();
      torch::Tensor logits;
      {
        const PrecisionScope scope(precision, torch::kCPU);
        logits = classifier.forward(images);
      }
      logits.to(torch::kFloat).square().sum().backward();
      std::vector<torch::Tensor> gradients;
      for (const auto& parameter : classifier.parameters()) {
        if (parameter.grad().defined()) {
          EXPECT_EQ(parameter.grad().scalar_type(), torch::kFloat);
          gradients.push_back(parameter.grad().flatten().clone());
        }
      }
      return std::pair(logits, torch::cat(gradients));
    };
    const auto [expected, expected_gradient] = run(Precision::Fp32);
    // Of 8 and of 11 binary digits.
    for (const auto& [precision, error] :
         {std::pair(Precision::Bf16, 0.05), std::pair(Precision::Fp16, 0.01)}) {
      SCOPED_TRACE(name + " with " + to_string(precision));
      const auto [logits, gradient] = run(precision);
      EXPECT_FALSE(torch::equal(logits.to(torch::kFloat), expected));
      EXPECT_TENSOR_NEAR(
          logits.to(torch::kFloat), expected, error * expected.abs().max().item<double>());
      // Processors with products of such numbers round more of the way back than others.
      EXPECT_LT(
          (gradient - expected_gradient).norm().item<double>(),
          4 * error * expected_gradient.norm().item<double>());
    }
  }
}

}  // namespace
}  // namespace vitrine
