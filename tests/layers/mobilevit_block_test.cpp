#include "vitrine/layers/mobilevit_block.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "vitrine/layers/transformer_block.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

MobileVitBlock small_mobilevit_block() {
  torch::manual_seed(0);
  MobileVitBlock block(
      MobileVitBlockOptions(/*chans=*/4, /*transformer_dim=*/8, /*transformer_depth=*/1));
  block->eval();
  return block;
}

TEST(UnfoldPatches, GathersThePatchesForEachPlaceWithin) {
  const auto map = torch::arange(16, torch::kFloat).view({1, 1, 4, 4});
  const auto expected =
      torch::tensor({0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15}, torch::kFloat);
  EXPECT_TENSOR_NEAR(unfold_patches(map, {2, 2}), expected.view({4, 4, 1}), 0);
}

TEST(UnfoldPatches, IsUndoneByFoldPatches) {
  torch::manual_seed(0);
  const auto map = torch::randn({2, 5, 4, 9});
  const auto patches = unfold_patches(map, {2, 3});
  EXPECT_EQ(patches.sizes(), (std::vector<int64_t>{12, 6, 5}));
  EXPECT_TRUE(fold_patches(patches, {2, 3}, {4, 9}).equal(map));
}

TEST(UnfoldPatches, RejectsAMapThatIsNoMultipleOfThePatch) {
  EXPECT_VALUE_ERROR(unfold_patches(torch::zeros({1, 1, 4, 5}), {2, 2}), "2x2, got [1, 1, 4, 5]");
  EXPECT_VALUE_ERROR(fold_patches(torch::zeros({4, 3, 1}), {2, 2}, {4, 4}), "4x4");
}

TEST(MobileVitBlock, LetsEachPlaceWithinAPatchAttendForItself) {
  const torch::NoGradGuard no_grad;
  auto block = small_mobilevit_block();
  // Reduce the 3x3 convolutions to their centres: what is left to mix pixels is the transformer.
  for (auto* convolution : {&block->conv_kxk->conv, &block->conv_fusion->conv}) {
    auto& weight = (*convolution)->weight;
    const auto centre = weight.select(3, 1).select(2, 1).clone();
    weight.zero_().select(3, 1).select(2, 1).copy_(centre);
  }
  const auto x = torch::randn({1, 4, 4, 6});
  auto changed = x.clone();
  changed.select(3, 3).select(2, 2) += 1;  // row 2, column 3: place (0, 1) of its patch
  const auto moved = (block(changed) - block(x)).abs().amax(1).squeeze(0) > 0;  // [4, 6]
  auto expected = torch::zeros({4, 6}, torch::kBool);
  expected.slice(0, 0, c10::nullopt, 2).slice(1, 1, c10::nullopt, 2).fill_(true);
  EXPECT_TRUE(moved.equal(expected)) << moved;
}

TEST(MobileVitBlock, FusesItsInputWithTheGlobalFeatures) {
  const torch::NoGradGuard no_grad;
  auto block = small_mobilevit_block();
  const auto x = torch::randn({2, 4, 6, 4});
  auto tokens = unfold_patches(block->conv_1x1(block->conv_kxk(x)), {2, 2});
  tokens = block->norm(block->transformer->forward(tokens));
  const auto global = block->conv_proj(fold_patches(tokens, {2, 2}, {6, 4}));
  EXPECT_TENSOR_NEAR(block(x), block->conv_fusion(torch::cat({x, global}, 1)), 1e-6);
}

TEST(MobileVitBlock, TakesAMapThatIsNoMultipleOfThePatch) {
  auto block = small_mobilevit_block();
  const auto y = block(torch::randn({2, 4, 5, 7}));
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 4, 5, 7}));
  EXPECT_TRUE(y.isfinite().all().item<bool>());
}

TEST(MobileVitBlock, TreatsImagesApart) {
  auto block = small_mobilevit_block();
  const auto x = torch::randn({3, 4, 4, 4});
  EXPECT_TENSOR_NEAR(block(x.slice(0, 1, 2)), block(x).slice(0, 1, 2), 1e-6);
}

TEST(MobileVitBlock, StartsAsThePapersCodeDoes) {
  torch::manual_seed(0);
  MobileVitBlock block(MobileVitBlockOptions(64, 128, 1));
  const auto& layer = *block->transformer->at<TransformerBlockImpl>(0).mlp->fc1;
  EXPECT_NEAR(layer.weight.std().item<double>(), 0.01, 5e-4);
  EXPECT_EQ(layer.bias.abs().max().item<double>(), 0);
}

TEST(MobileVitBlock, RejectsOptionsAndShapesOutOfRange) {
  using Options = MobileVitBlockOptions;
  EXPECT_VALUE_ERROR(MobileVitBlock(Options(4, 8, 0)), "transformer_depth");
  EXPECT_VALUE_ERROR(MobileVitBlock(Options(4, 10, 1)), "multiple of num_heads");
  EXPECT_VALUE_ERROR(MobileVitBlock(Options(4, 0, 1)), "transformer_dim");
  EXPECT_VALUE_ERROR(MobileVitBlock(Options(0, 8, 1)), "chans");
  EXPECT_VALUE_ERROR(MobileVitBlock(Options(4, 8, 1).patch_size(0)), "patch_size");
  EXPECT_VALUE_ERROR(MobileVitBlock(Options(4, 8, 1).mlp_ratio(0)), "mlp_ratio");
  auto block = small_mobilevit_block();
  EXPECT_VALUE_ERROR(block(torch::zeros({1, 3, 4, 4})), "[B, 4, H, W], got [1, 3, 4, 4]");
  EXPECT_VALUE_ERROR(block(torch::zeros({1, 4, 0, 4})), "[1, 4, 0, 4]");
}

}  // namespace
}  // namespace vitrine
