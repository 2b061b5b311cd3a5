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

TEST(Mlp, GatesTheSecondHalfOfItsChannelsByTheFirst) {
  const torch::NoGradGuard no_grad;
  Mlp mlp(MlpOptions(1, 2).activation(Activation::Silu).gated(true));
  mlp->fc1->weight.copy_(torch::tensor({1.0F, 3.0F}).view({2, 1}));
  mlp->fc1->bias.zero_();
  mlp->fc2->weight.fill_(1);
  // silu(2) * 6 = 2 / (1 + exp(-2)) * 6.
  EXPECT_TENSOR_NEAR(mlp(torch::full({1, 1}, 2.0)), torch::full({1, 1}, 10.569565), 1e-5);
  EXPECT_EQ(mlp->fc2->weight.sizes(), (std::vector<int64_t>{1, 1}));
}

TEST(Mlp, StartsWithItsGatesOpen) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  Mlp mlp(MlpOptions(4, 12).activation(Activation::Silu).gated(true));
  const auto x = torch::randn({3, 4});
  const auto first = torch::silu(torch::linear(x, mlp->fc1->weight.slice(0, 0, 6)));
  EXPECT_TENSOR_NEAR(mlp(x), torch::linear(first, mlp->fc2->weight), 1e-6);
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
  EXPECT_VALUE_ERROR(Mlp(MlpOptions(4, 7).gated(true)), "even");
  EXPECT_VALUE_ERROR(Mlp(MlpOptions(4, 8))(torch::zeros({1, 5})), "[..., 4]");
}

TEST(ConvMlp, IsTheMlpOfEachPixel) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  Mlp mlp(MlpOptions(3, 5).activation(Activation::Silu));
  ConvMlp convolutions(MlpOptions(3, 5).activation(Activation::Silu));
  convolutions->fc1->weight.copy_(mlp->fc1->weight.view({5, 3, 1, 1}));
  convolutions->fc2->weight.copy_(mlp->fc2->weight.view({3, 5, 1, 1}));
  const auto x = torch::randn({2, 3, 4, 6});
  const auto expected = mlp(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
  EXPECT_TENSOR_NEAR(convolutions(x), expected, 1e-6);
}

TEST(ConvMlp, RejectsOptionsAndShapesOutOfRange) {
  EXPECT_VALUE_ERROR(ConvMlp(MlpOptions(4, 0)), "ConvMlp: dim and hidden_dim");
  EXPECT_VALUE_ERROR(ConvMlp(MlpOptions(4, 8).gated(true)), "gated");
  EXPECT_VALUE_ERROR(ConvMlp(MlpOptions(4, 8).drop(1)), "drop");
  EXPECT_VALUE_ERROR(ConvMlp(MlpOptions(4, 8))(torch::zeros({1, 5, 2, 2})), "[B, 4, H, W]");
}

}  // namespace
}  // namespace vitrine
