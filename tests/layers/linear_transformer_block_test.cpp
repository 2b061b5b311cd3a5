#include "vitrine/layers/linear_transformer_block.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

LinearTransformerBlock small_block() {
  torch::manual_seed(0);
  return LinearTransformerBlock(LinearTransformerBlockOptions(/*dim=*/6));
}

TEST(LinearTransformerBlock, OfTheLayersSaysWhatItComputes) {
  auto block = small_block();
  const auto x = torch::randn({2, 6, 4, 9});
  const auto y = x + block->attn(block->norm1(x));
  EXPECT_TENSOR_NEAR(block(x), y + block->mlp(block->norm2(y)), 1e-5);
}

TEST(LinearTransformerBlock, NormalisesChannelsAndTokensOfAnImageTogether) {
  auto block = small_block();
  const auto x = 3 * torch::randn({2, 6, 4, 9}) + 5;
  const auto y = block->norm1(x).flatten(1);  // [2, 216]
  EXPECT_TENSOR_NEAR(y.mean(1), torch::zeros({2}), 1e-5);
  EXPECT_TENSOR_NEAR(y.square().mean(1), torch::ones({2}), 1e-4);
}

TEST(LinearTransformerBlock, TreatsImagesApart) {
  auto block = small_block();
  const auto x = torch::randn({3, 6, 4, 9});
  EXPECT_TENSOR_NEAR(block(x.slice(0, 1, 2)), block(x).slice(0, 1, 2), 1e-5);
}

TEST(LinearTransformerBlock, WithBothBranchesDroppedIsTheIdentity) {
  torch::manual_seed(0);
  LinearTransformerBlock block(LinearTransformerBlockOptions(6).drop_path(0.999999));
  const auto x = torch::randn({1, 6, 4, 9});
  EXPECT_TRUE(block(x).equal(x));
}

TEST(LinearTransformerBlock, RejectsOptionsAndShapesOutOfRange) {
  using Options = LinearTransformerBlockOptions;
  EXPECT_VALUE_ERROR(LinearTransformerBlock(Options(0)), "dim");
  EXPECT_VALUE_ERROR(LinearTransformerBlock(Options(4).mlp_ratio(0)), "mlp_ratio");
  EXPECT_VALUE_ERROR(LinearTransformerBlock(Options(4).proj_drop(1)), "drop");
  EXPECT_VALUE_ERROR(small_block()(torch::zeros({1, 5, 4, 9})), "[B, 6, P, N], got [1, 5, 4, 9]");
}

}  // namespace
}  // namespace vitrine
