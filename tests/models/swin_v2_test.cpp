#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/models/registry.h"
#include "vitrine/models/swin.h"

#include "small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

// Swin with the options `version` and one window for each stage.

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

TEST(SwinV2, MergesWithItsNormLast) {
  SwinTransformer model(small_swin_options().version(2));
  const auto& merging = *model->layers->at<SwinStageImpl>(1).downsample;
  EXPECT_TRUE(merging.options.post_norm());
  EXPECT_EQ(merging.norm->weight.sizes(), (Shape{16}));
}

TEST(SwinV2, StartsWithBlocksThatDoNothing) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  SwinTransformer model(small_swin_options().version(2));
  const auto x = torch::randn({2, 8, 8, 8});
  EXPECT_TRUE(model->layers->at<SwinStageImpl>(0).forward(x).equal(x));
}

TEST(SwinV2, GivesTheSameGradientInEveryRun) {
  auto model = small_swin_v2();
  torch::manual_seed(0);
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

TEST(SwinV2, ComputesInDoubleOnceConvertedAndBack) {
  const torch::NoGradGuard no_grad;
  auto model = small_swin_v2();
  const auto images = torch::randn({2, 3, 32, 32});
  const auto single = model->forward(images);
  model->to(torch::kDouble);
  EXPECT_TENSOR_NEAR(model->forward(images.to(torch::kDouble)), single, 1e-5);
}

TEST(SwinV2, ScalesItsOffsetsByTheWindowsOfThePretraining) {
  // Windows of 16 and, in the last stage, of 8; pretrained with 12 and 6.
  const auto narrow = ModelOptions()
                          .set("embed_dim", 8)
                          .set("depths", Shape{1, 1, 1, 1})
                          .set("num_heads", Shape{1, 2, 4, 8});
  const auto model = create_model("swinv2_base_window12to16_192to256", narrow);
  const auto swin = SwinTransformer(std::dynamic_pointer_cast<SwinTransformerImpl>(model));
  const auto furthest = [&](size_t stage) {
    return swin_block(swin, stage, 0).attn->relative_coords_table.max().item<double>();
  };
  EXPECT_NEAR(furthest(0), std::log2(1 + 8 * 15.0 / 11) / 3, 1e-6);
  EXPECT_NEAR(furthest(3), std::log2(1 + 8 * 7.0 / 5) / 3, 1e-6);
}

TEST(SwinTransformer, HasAWindowForEachStage) {
  SwinTransformer model(small_swin_options().window_size({2, 4}));
  EXPECT_EQ(swin_block(model, 0, 0).attn->options.window_size(), (Size2{2, 2}));
  EXPECT_EQ(swin_block(model, 1, 0).attn->options.window_size(), (Size2{4, 4}));
  EXPECT_TRUE(swin_block(model, 0, 1).attn_mask.defined());
  EXPECT_FALSE(swin_block(model, 1, 1).attn_mask.defined());  // one window covers the map
  EXPECT_EQ(SwinTransformerOptions().window_size(5).window_size(), Shape{5});
}

TEST(SwinTransformer, RejectsListsOfAnotherLength) {
  const auto make = [](const SwinTransformerOptions& options) { SwinTransformer model(options); };
  EXPECT_VALUE_ERROR(make(small_swin_options().window_size({2, 4, 2})), "2 stages, got 3");
  EXPECT_VALUE_ERROR(
      make(small_swin_options().pretrained_window_sizes({1, 1, 1})), "2 stages, got 3");
  EXPECT_VALUE_ERROR(make(small_swin_options().window_size(std::vector<int64_t>())), "got 0");
  EXPECT_VALUE_ERROR(make(small_swin_options().version(0)), "1 or 2, got 0");
}

}  // namespace
}  // namespace vitrine
