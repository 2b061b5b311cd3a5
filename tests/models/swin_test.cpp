#include "vitrine/models/swin.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "vitrine/models/registry.h"

#include "small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

/// Shift masks of a model's blocks.
int64_t masks_of(const SwinTransformer& model) {
  int64_t count = 0;
  for (const auto& item : model->named_buffers()) {
    count += item.key().find("attn_mask") != std::string::npos ? 1 : 0;
  }
  return count;
}

TEST(SwinStage, MergesThenAttendsByItself) {
  torch::manual_seed(0);
  const auto of_blocks = SwinBlockOptions(/*dim=*/8, /*num_heads=*/2, {4, 4}).window_size(2);
  SwinStage merging(SwinStageOptions(of_blocks, {0.0, 0.1}).downsample_dim(4));
  EXPECT_EQ(merging(torch::randn({2, 8, 8, 4})).sizes(), (Shape{2, 4, 4, 8}));
  EXPECT_EQ(merging(torch::randn({2, 7, 8, 4})).sizes(), (Shape{2, 4, 4, 8}));
  SwinStage first(SwinStageOptions(of_blocks, {0.0}));
  EXPECT_EQ(first(torch::randn({2, 4, 4, 8})).sizes(), (Shape{2, 4, 4, 8}));
  EXPECT_FALSE(first->downsample);
  EXPECT_VALUE_ERROR(SwinStage(SwinStageOptions(of_blocks, {})), "depth");
}

TEST(SwinTransformer, HalvesTheMapAndDoublesTheChannels) {
  const torch::NoGradGuard no_grad;
  SwinTransformer model(SwinTransformerOptions().embed_dim(16).num_heads({1, 2, 4, 8}));
  auto x = model->patch_embed(torch::randn({1, 3, 224, 224}));
  const Shape expected[] = {{1, 56, 56, 16}, {1, 28, 28, 32}, {1, 14, 14, 64}, {1, 7, 7, 128}};
  for (size_t i = 0; i < 4; ++i) {
    x = swin_stage(model, i).forward(x);
    EXPECT_EQ(x.sizes(), expected[i]) << i;
  }
  EXPECT_EQ(model->num_features(), 128);
}

TEST(SwinTransformer, ShiftsEveryOtherBlockWhileTheMapIsLargerThanTheWindow) {
  // Depths 2, 2, 6, 2 with a last map of one window: 1 + 1 + 3 shifted blocks.
  SwinTransformer model(SwinTransformerOptions().embed_dim(8).num_heads({1, 2, 4, 8}));
  EXPECT_EQ(masks_of(model), 5);
  EXPECT_FALSE(swin_block(model, 2, 0).attn_mask.defined());
  EXPECT_EQ(swin_block(model, 2, 1).attn_mask.sizes(), (Shape{4, 49, 49}));
  EXPECT_EQ(swin_block(model, 0, 1).attn_mask.sizes(), (Shape{64, 49, 49}));
  EXPECT_FALSE(swin_block(model, 3, 1).attn_mask.defined());
}

TEST(SwinTransformer, TakesASizeThatDividesNowhere) {
  const torch::NoGradGuard no_grad;
  SwinTransformer model(small_swin_options().img_size({36, 52}).window_size(4));  // 9x13, 5x7
  EXPECT_EQ(model->forward_features(torch::randn({2, 3, 36, 52})).sizes(), (Shape{2, 5, 7, 16}));
  EXPECT_EQ(model->forward(torch::randn({2, 3, 36, 52})).sizes(), (Shape{2, 5}));
}

TEST(SwinTransformer, TakesTheSmallestImageOfAll) {
  SwinTransformer model(small_swin_options().img_size({4, 4}));
  EXPECT_EQ(model->forward(torch::randn({2, 3, 4, 4})).sizes(), (Shape{2, 5}));
}

TEST(SwinTransformer, PoolsTheNormalisedMap) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  SwinTransformer model(small_swin_options());
  const auto images = torch::randn({2, 3, 32, 32});
  const auto map = model->norm(model->layers->forward(model->patch_embed(images)));
  EXPECT_TENSOR_NEAR(model->forward(images), model->head->fc(map.mean({1, 2})), 1e-6);
}

TEST(SwinTransformer, RefusesAnotherImageSize) {
  SwinTransformer model(small_swin_options());
  EXPECT_VALUE_ERROR(model->forward(torch::zeros({1, 3, 32, 36})), "32x32, got 32x36");
}

TEST(SwinTransformer, RaisesDropPathLinearlyOverAllBlocks) {
  SwinTransformer model(small_swin_options().drop_path_rate(0.3));
  const double expected[] = {0, 0.1, 0.2, 0.3};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(swin_block(model, i / 2, i % 2).drop_path1->p, expected[i]);
    EXPECT_DOUBLE_EQ(swin_block(model, i / 2, i % 2).drop_path2->p, expected[i]);
  }
}

TEST(SwinTransformer, GivesTheSameGradientInEveryRun) {
  torch::manual_seed(0);
  SwinTransformer model(small_swin_options());
  const auto images = torch::randn({8, 3, 32, 32});
  std::vector<torch::Tensor> first;
  for (int run = 0; run < 5; ++run) {
    model->zero_grad();
    model->forward(images).square().sum().backward();
    const auto parameters = model->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (run == 0) {
        first.push_back(parameters[i].grad().clone());
      }
      ASSERT_TRUE(parameters[i].grad().equal(first[i])) << "run " << run << ", parameter " << i;
    }
  }
}

TEST(SwinTransformer, StartsAsThePapersCodeDoes) {
  torch::manual_seed(0);
  SwinTransformer model(small_swin_options().embed_dim(64));
  for (const auto& item : model->named_parameters()) {
    const auto& key = item.key();
    const auto& value = item.value();
    if (value.dim() == 2) {
      EXPECT_NEAR(value.std().item<double>(), 0.02, 0.003) << key;
    } else if (value.dim() == 1 && key.find("norm") != std::string::npos) {
      EXPECT_TRUE((value == (key.find("weight") != std::string::npos)).all().item<bool>()) << key;
    } else if (value.dim() == 1 && key.find("patch_embed") == std::string::npos) {
      EXPECT_EQ(value.abs().max().item<double>(), 0) << key;
    }
  }
}

TEST(SwinTransformer, ComputesInDoubleOnceConvertedAndBack) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  SwinTransformer model(small_swin_options());
  const auto images = torch::randn({2, 3, 32, 32});
  const auto single = model->forward(images);
  model->to(torch::kDouble);
  EXPECT_TENSOR_NEAR(model->forward(images.to(torch::kDouble)), single, 1e-5);
  // A low-precision float cannot hold the bias table's row numbers.
  model->to(torch::kBFloat16);
  model->to(torch::Device(torch::kCPU), torch::kFloat);
  const auto& attention = *swin_block(model, 0, 0).attn;
  EXPECT_EQ(attention.relative_position_index.scalar_type(), torch::kLong);
  EXPECT_TRUE(attention.relative_position_index.equal(
      WindowAttention(attention.options)->relative_position_index));
}

TEST(SwinTransformer, RejectsOptionsOutOfRange) {
  const auto make = [](const SwinTransformerOptions& options) { SwinTransformer model(options); };
  EXPECT_VALUE_ERROR(make(small_swin_options().depths({2, 2, 2})), "each stage, got 3 and 2");
  EXPECT_VALUE_ERROR(make(small_swin_options().depths({}).num_heads({})), "depths");
  EXPECT_VALUE_ERROR(make(small_swin_options().depths({2, 0})), "depth");
  EXPECT_VALUE_ERROR(make(small_swin_options().num_heads({3, 6})), "multiple of num_heads");
  EXPECT_VALUE_ERROR(make(small_swin_options().window_size(0)), "window_size");
  EXPECT_VALUE_ERROR(make(small_swin_options().img_size({30, 32})), "no multiple of the patch, 4");
  EXPECT_VALUE_ERROR(make(small_swin_options().norm_eps(-1)), "norm_eps");
}

}  // namespace
}  // namespace vitrine
