#include "vitrine/layers/swin_block.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

SwinBlockOptions options_of(Size2 resolution, int64_t window, bool shifted) {
  return SwinBlockOptions(/*dim=*/8, /*num_heads=*/2, resolution)
      .window_size(window)
      .shifted(shifted);
}

/// Which places of the result move when the token at `row`, `column` does: [H, W].
torch::Tensor influence(SwinBlock block, int64_t row, int64_t column) {
  const torch::NoGradGuard no_grad;
  const auto size = block->options.input_resolution();
  const auto x = torch::randn({1, size[0], size[1], 8});
  auto changed = x.clone();
  changed[0][row][column].normal_();
  return (block(changed) - block(x)).abs().amax(-1).squeeze(0) > 0;
}

/// True in rows `top` to `bottom` and columns `left` to `right`, the ends excluded.
torch::Tensor box(Size2 size, int64_t top, int64_t bottom, int64_t left, int64_t right) {
  auto inside = torch::zeros({size[0], size[1]}, torch::kBool);
  inside.slice(0, top, bottom).slice(1, left, right).fill_(true);
  return inside;
}

TEST(SwinBlock, AttendsWithinItsWindow) {
  torch::manual_seed(0);
  SwinBlock block(options_of({4, 4}, 2, /*shifted=*/false));
  EXPECT_TRUE(influence(block, 1, 1).equal(box({4, 4}, 0, 2, 0, 2)));
  EXPECT_TRUE(influence(block, 1, 2).equal(box({4, 4}, 0, 2, 2, 4)));
  EXPECT_FALSE(block->attn_mask.defined());
}

TEST(SwinBlock, AttendsAcrossWindowsOnceShifted) {
  torch::manual_seed(0);
  SwinBlock block(options_of({4, 4}, 2, /*shifted=*/true));
  EXPECT_TRUE(influence(block, 1, 1).equal(box({4, 4}, 1, 3, 1, 3)));
  EXPECT_TRUE(influence(block, 2, 2).equal(box({4, 4}, 1, 3, 1, 3)));
}

TEST(SwinBlock, NeverJoinsOppositeEdges) {
  torch::manual_seed(0);
  SwinBlock block(options_of({4, 4}, 2, /*shifted=*/true));
  EXPECT_TRUE(influence(block, 0, 0).equal(box({4, 4}, 0, 1, 0, 1)));
  EXPECT_TRUE(influence(block, 3, 0).equal(box({4, 4}, 3, 4, 0, 1)));
  EXPECT_TRUE(influence(block, 0, 2).equal(box({4, 4}, 0, 1, 1, 3)));
  EXPECT_TRUE(influence(block, 2, 3).equal(box({4, 4}, 1, 3, 3, 4)));
}

TEST(SwinBlock, ShiftsBackWhatItShifted) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  SwinBlock block(options_of({6, 6}, 3, /*shifted=*/true));
  // Without queries, keys and biases attention averages its window; let it be the identity instead:
  // a window of equal tokens averages to itself.
  block->attn->qkv->weight.slice(0, 0, 16).zero_();
  const auto column = torch::randn({8});
  const auto x = column.expand({1, 6, 6, 8});
  const auto y = block(x);
  EXPECT_TENSOR_NEAR(y, y[0][0][0].expand({1, 6, 6, 8}), 1e-6);
}

TEST(SwinBlock, OfTheLayersSaysWhatItComputes) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  SwinBlock block(options_of({4, 4}, 4, /*shifted=*/false));
  const auto x = torch::randn({2, 4, 4, 8});
  const auto y = x + block->attn(block->norm1(x).view({2, 16, 8})).view({2, 4, 4, 8});
  EXPECT_TENSOR_NEAR(block(x), y + block->mlp(block->norm2(y)), 1e-6);
}

TEST(SwinBlock, OfVersion2NormalisesItsBranches) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  SwinBlock block(options_of({4, 4}, 4, /*shifted=*/false).version(2));
  const auto x = torch::randn({2, 4, 4, 8});
  EXPECT_TRUE(block(x).equal(x));  // at the start it is the identity
  block->norm1->weight.normal_();
  block->norm2->weight.normal_();
  const auto y = x + block->norm1(block->attn(x.view({2, 16, 8})).view({2, 4, 4, 8}));
  EXPECT_TENSOR_NEAR(block(x), y + block->norm2(block->mlp(y)), 1e-6);
  EXPECT_TRUE(block->attn->options.cosine());
}

TEST(SwinBlock, OfVersion2KnowsTheWindowOfItsPretraining) {
  SwinBlock block(options_of({4, 4}, 2, false).version(2).pretrained_window_size(3));
  EXPECT_EQ(block->attn->options.pretrained_window_size(), (Size2{3, 3}));
}

TEST(SwinBlock, ClampsTheWindowToASmallerMap) {
  SwinBlock block(options_of({4, 5}, 7, /*shifted=*/true));
  EXPECT_EQ(block->attn->options.window_size(), (Size2{4, 5}));
  EXPECT_FALSE(block->attn_mask.defined());
  EXPECT_EQ(block->attn->relative_position_bias_table.size(0), 7 * 9);
}

TEST(SwinBlock, ShiftsOnlyAlongTheSideThatOneWindowDoesNotCover) {
  torch::manual_seed(0);
  SwinBlock block(options_of({4, 8}, 4, /*shifted=*/true));
  EXPECT_TRUE(influence(block, 0, 3).equal(box({4, 8}, 0, 4, 2, 6)));
  EXPECT_TRUE(influence(block, 3, 0).equal(box({4, 8}, 0, 4, 0, 2)));
}

TEST(SwinBlock, TakesAMapThatIsNoMultipleOfTheWindow) {
  torch::manual_seed(0);
  for (const bool shifted : {false, true}) {
    SwinBlock block(options_of({5, 7}, 3, shifted));
    const auto y = block(torch::randn({2, 5, 7, 8}));
    EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 5, 7, 8}));
    EXPECT_TRUE(y.isfinite().all().item<bool>());
  }
}

TEST(SwinBlock, TreatsImagesApart) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  SwinBlock block(options_of({4, 4}, 2, /*shifted=*/true));
  const auto x = torch::randn({3, 4, 4, 8});
  EXPECT_TENSOR_NEAR(block(x.slice(0, 1, 2)), block(x).slice(0, 1, 2), 1e-6);
}

TEST(SwinBlock, WithBothBranchesDroppedIsTheIdentity) {
  torch::manual_seed(0);
  auto options = options_of({4, 4}, 2, false);
  SwinBlock block(options.drop_path(0.999999));
  const auto x = torch::randn({1, 4, 4, 8});
  EXPECT_TRUE(block(x).equal(x));
}

TEST(SwinBlock, RejectsWhatDoesNotFit) {
  SwinBlock block(options_of({4, 6}, 2, false));
  EXPECT_VALUE_ERROR(block(torch::zeros({1, 6, 4, 8})), "[B, 4, 6, 8], got [1, 6, 4, 8]");
  EXPECT_VALUE_ERROR(SwinBlock(options_of({0, 4}, 2, false)), "input_resolution");
  EXPECT_VALUE_ERROR(SwinBlock(options_of({4, 4}, 0, false)), "window_size");
  EXPECT_VALUE_ERROR(SwinBlock(options_of({4, 4}, 2, false).mlp_ratio(0)), "mlp_ratio");
  EXPECT_VALUE_ERROR(SwinBlock(options_of({4, 4}, 2, false).version(3)), "1 or 2, got 3");
  EXPECT_VALUE_ERROR(
      SwinBlock(options_of({4, 4}, 2, false).version(2).pretrained_window_size(-1)),
      "pretrained_window_size");
  EXPECT_VALUE_ERROR(SwinBlock(SwinBlockOptions(9, 2, {4, 4})), "multiple of num_heads");
  EXPECT_VALUE_ERROR(SwinBlock(SwinBlockOptions(0, 2, {4, 4})), "dim");
}

}  // namespace
}  // namespace vitrine
