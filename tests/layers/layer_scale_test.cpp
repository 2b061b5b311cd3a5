#include "vitrine/layers/layer_scale.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

TEST(LayerScale, MultipliesEachChannel) {
  const torch::NoGradGuard no_grad;
  LayerScale scale(2, 1e-5);
  EXPECT_TENSOR_NEAR(scale(torch::ones({1, 3, 2})), torch::full({1, 3, 2}, 1e-5), 1e-9);
  scale->gamma.copy_(torch::tensor({2.0F, -1.0F}));
  const auto x = torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({2, 2});
  EXPECT_TENSOR_NEAR(scale(x), torch::tensor({2.0F, -2.0F, 6.0F, -4.0F}).view({2, 2}), 0);
}

TEST(LayerScale, RejectsNoChannels) {
  EXPECT_VALUE_ERROR(LayerScale(0, 1.0), "dim");
}

}  // namespace
}  // namespace vitrine
