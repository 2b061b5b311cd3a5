#include "vitrine/layers/mlp.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

/// Both layers pass their input straight through.
Mlp identity_mlp(Activation activation) {
  const torch::NoGradGuard no_grad;
  Mlp mlp(MlpOptions(2, 2).activation(activation));
  mlp->fc1->weight.copy_(torch::eye(2));
  mlp->fc2->weight.copy_(torch::eye(2));
  return mlp;
}

TEST(Mlp, AppliesTheExactGelu) {
  // x * (1 + erf(x / sqrt(2))) / 2; the approximation by tanh gives 0.841192 at 1.
  const auto expected = torch::tensor({0.8413447F, -0.1586553F}).view({1, 2});
  const auto x = torch::tensor({1.0F, -1.0F}).view({1, 2});
  EXPECT_TENSOR_NEAR(identity_mlp(Activation::Gelu)(x), expected, 1e-6);
}

TEST(Mlp, AppliesSiluOrNothing) {
  const auto x = torch::tensor({1.0F, -1.0F}).view({1, 2});
  const auto silu = torch::tensor({0.7310586F, -0.2689414F}).view({1, 2});  // x / (1 + exp(-x))
  EXPECT_TENSOR_NEAR(identity_mlp(Activation::Silu)(x), silu, 1e-6);
  EXPECT_TENSOR_NEAR(identity_mlp(Activation::None)(x), x, 1e-6);
}

TEST(Mlp, ActivatesBetweenItsLayersOnly) {
  const torch::NoGradGuard no_grad;
  auto mlp = identity_mlp(Activation::Silu);
  mlp->fc1->bias.fill_(1);
  mlp->fc2->bias.fill_(-10);
  const auto y = mlp(torch::zeros({1, 2}));
  EXPECT_TENSOR_NEAR(y, torch::full({1, 2}, 0.7310586 - 10), 1e-6);
}

TEST(Mlp, TreatsTokensApart) {
  torch::manual_seed(0);
  Mlp mlp(MlpOptions(4, 12));
  const auto x = torch::randn({2, 3, 5, 4});
  EXPECT_TENSOR_NEAR(mlp(x)[1][2], mlp(x[1][2]), 1e-6);
}

TEST(Mlp, DropsOnlyWhileTraining) {
  torch::manual_seed(0);
  Mlp mlp(MlpOptions(8, 16).drop(0.5));
  const auto x = torch::randn({4, 8});
  EXPECT_FALSE(mlp(x).equal(mlp(x)));
  mlp->eval();
  EXPECT_TRUE(mlp(x).equal(mlp(x)));
}

TEST(Mlp, RejectsOptionsAndShapesOutOfRange) {
  EXPECT_VALUE_ERROR(Mlp(MlpOptions(0, 4)), "dim");
  EXPECT_VALUE_ERROR(Mlp(MlpOptions(4, 0)), "hidden_dim");
  EXPECT_VALUE_ERROR(Mlp(MlpOptions(4, 4).drop(1.5)), "drop");
  EXPECT_VALUE_ERROR(Mlp(MlpOptions(4, 4).drop(1)), "drop");
  EXPECT_VALUE_ERROR(Mlp(MlpOptions(4, 8))(torch::zeros({1, 5})), "[..., 4]");
}

}  // namespace
}  // namespace vitrine
