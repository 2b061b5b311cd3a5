#include "vitrine/layers/mobilevit_v2_block.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "vitrine/layers/mobilevit_block.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

MobileVitV2Block small_mobilevit_v2_block() {
  torch::manual_seed(0);
  MobileVitV2Block block(
      MobileVitV2BlockOptions(/*chans=*/4, /*transformer_dim=*/6, /*transformer_depth=*/2));
  block->eval();
  return block;
}

TEST(MobileVitV2Block, OfTheLayersSaysWhatItComputes) {
  const torch::NoGradGuard no_grad;
  auto block = small_mobilevit_v2_block();
  const auto x = torch::randn({2, 4, 6, 4});
  const auto map = block->conv_1x1(block->conv_kxk(x));
  // The first version's patches [B * P, N, C], as [B, C, P, N].
  auto y = unfold_patches(map, {2, 2}).view({2, 4, 6, 6}).permute({0, 3, 1, 2});
  y = block->norm(block->transformer->forward(y));
  y = fold_patches(y.permute({0, 2, 3, 1}).reshape({8, 6, 6}), {2, 2}, {6, 4});
  EXPECT_TENSOR_NEAR(block(x), block->conv_proj(y), 1e-5);
}

TEST(MobileVitV2Block, FiltersEachChannelByItself) {
  const auto block = small_mobilevit_v2_block();
  EXPECT_EQ(block->conv_kxk->conv->weight.sizes(), (std::vector<int64_t>{4, 1, 3, 3}));
}

TEST(MobileVitV2Block, ActivatesNothingAtItsEnd) {
  const torch::NoGradGuard no_grad;
  auto block = small_mobilevit_v2_block();
  const auto x = torch::randn({1, 4, 8, 8});
  // SiLU never falls below -0.28.
  EXPECT_LT(block(10 * x).min().item<double>(), -0.5);
}

TEST(MobileVitV2Block, RoundsAnUnevenMapUpCornerToCorner) {
  const torch::NoGradGuard no_grad;
  auto block = small_mobilevit_v2_block();
  const auto x = torch::randn({2, 4, 5, 7});
  const auto scaled = torch::upsample_bilinear2d(x, {6, 8}, /*align_corners=*/true);
  EXPECT_TENSOR_NEAR(scaled[0][0][5][7], x[0][0][4][6], 1e-6);
  EXPECT_EQ(block(x).sizes(), (std::vector<int64_t>{2, 4, 6, 8}));
  EXPECT_TENSOR_NEAR(block(x), block(scaled), 1e-5);
}

TEST(MobileVitV2Block, TreatsImagesApart) {
  auto block = small_mobilevit_v2_block();
  const auto x = torch::randn({3, 4, 4, 4});
  EXPECT_TENSOR_NEAR(block(x.slice(0, 1, 2)), block(x).slice(0, 1, 2), 1e-5);
}

TEST(MobileVitV2Block, RejectsOptionsAndShapesOutOfRange) {
  using Options = MobileVitV2BlockOptions;
  EXPECT_VALUE_ERROR(MobileVitV2Block(Options(4, 8, 0)), "transformer_depth");
  EXPECT_VALUE_ERROR(MobileVitV2Block(Options(4, 8, 1001)), "transformer_depth");
  EXPECT_VALUE_ERROR(MobileVitV2Block(Options(4, 0, 1)), "transformer_dim");
  EXPECT_VALUE_ERROR(MobileVitV2Block(Options(0, 8, 1)), "chans");
  EXPECT_VALUE_ERROR(MobileVitV2Block(Options(4, 8, 1).patch_size(0)), "patch_size");
  EXPECT_VALUE_ERROR(MobileVitV2Block(Options(4, 8, 1).mlp_ratio(0)), "mlp_ratio");
  auto block = small_mobilevit_v2_block();
  EXPECT_VALUE_ERROR(block(torch::zeros({1, 3, 4, 4})), "[B, 4, H, W], got [1, 3, 4, 4]");
  EXPECT_VALUE_ERROR(block(torch::zeros({1, 4, 0, 4})), "[1, 4, 0, 4]");
}

}  // namespace
}  // namespace vitrine
