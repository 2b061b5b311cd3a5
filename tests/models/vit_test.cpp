#include "vitrine/models/vit.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "vitrine/layers/observe.h"
#include "vitrine/layers/transformer_block.h"

#include "small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

/// The lecture's: image 256, patch 32, 20 classes, 6 blocks of 16 heads of 64.
VisionTransformerOptions lecture_options(const std::string& pool) {
  return VisionTransformerOptions()
      .img_size({256, 256})
      .patch_size(32)
      .num_classes(20)
      .embed_dim(1024)
      .depth(6)
      .num_heads(16)
      .head_dim(64)
      .mlp_ratio(2)
      .proj_drop_rate(0.1)
      .pos_drop_rate(0.1)
      .global_pool(pool);
}

/// Remembers the shape of each step of the model itself and of the patches.
struct Shapes : Observer {
  void on_value(
      const torch::nn::Module& module, std::string_view step, const torch::Tensor& value) override {
    by_step[step.empty() ? module.name() : std::string(step)] = value.sizes().vec();
  }
  std::map<std::string, Shape> by_step;
};

/// A model without classes whose blocks add nothing: features are what the tokens start from.
VisionTransformer plain_vit(const std::string& pool, bool class_token = true) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  VisionTransformer model(
      small_vit_options().global_pool(pool).class_token(class_token).num_classes(0));
  for (const auto& block : *model->blocks) {
    for (auto& parameter : block.ptr()->parameters()) {
      parameter.zero_();
    }
  }
  model->eval();
  return model;
}

torch::Tensor normalised(const torch::Tensor& x) {
  return torch::layer_norm(x, {x.size(-1)}, {}, {}, 1e-6);
}

TEST(VisionTransformer, TakesTheLecturesSettings) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  const auto images = torch::randn({5, 3, 256, 256});
  for (const auto* pool : {"token", "mean_all"}) {
    VisionTransformer model(lecture_options(pool));
    Shapes shapes;
    const ObserverGuard guard(shapes);
    EXPECT_EQ(model->forward(images).sizes(), (Shape{5, 20}));
    EXPECT_EQ(shapes.by_step["vitrine::PatchEmbedImpl"], (Shape{5, 64, 1024}));
    EXPECT_EQ(shapes.by_step["class token"], (Shape{5, 65, 1024}));
    EXPECT_EQ(shapes.by_step["pool"], (Shape{5, 1024}));
  }
}

TEST(VisionTransformer, AddsPositionsAfterTheClassToken) {
  const torch::NoGradGuard no_grad;
  auto model = plain_vit("token");
  const auto images = torch::randn({2, 3, 32, 32});
  const auto patches = model->patch_embed(images);  // [2, 16, 16]
  const auto tokens =
      torch::cat({model->cls_token.expand({2, 1, 16}), patches}, 1) + model->pos_embed;
  EXPECT_TENSOR_NEAR(model->forward_features(images), normalised(tokens), 1e-6);
}

TEST(VisionTransformer, PoolsAsItsOptionSays) {
  const torch::NoGradGuard no_grad;
  const auto features = torch::randn({2, 17, 16});
  EXPECT_TENSOR_NEAR(plain_vit("token")->forward_head(features), features.select(1, 0), 1e-6);
  EXPECT_TENSOR_NEAR(
      plain_vit("avg")->forward_head(features), normalised(features.slice(1, 1).mean(1)), 1e-6);
  EXPECT_TENSOR_NEAR(
      plain_vit("mean_all")->forward_head(features), normalised(features.mean(1)), 1e-6);
  EXPECT_TENSOR_NEAR(
      plain_vit("avg", /*class_token=*/false)->forward_head(features),
      normalised(features.mean(1)),
      1e-6);
}

TEST(VisionTransformer, NormalisesBeforeOrAfterPooling) {
  const auto keys = [](const VisionTransformerOptions& options) {
    const auto parameters = VisionTransformer(options)->named_parameters();
    return std::make_pair(
        parameters.contains("norm.weight"), parameters.contains("fc_norm.weight"));
  };
  auto options = small_vit_options();
  EXPECT_EQ(keys(options), std::make_pair(true, false));
  EXPECT_EQ(keys(options.global_pool("avg")), std::make_pair(false, true));
  EXPECT_EQ(keys(options.fc_norm(false)), std::make_pair(true, false));
  EXPECT_EQ(keys(options.global_pool("token").fc_norm(true)), std::make_pair(false, true));
}

TEST(VisionTransformer, RefusesAnotherImageSizeUnlessDynamic) {
  VisionTransformer model(small_vit_options());
  EXPECT_VALUE_ERROR(model->forward(torch::zeros({1, 3, 40, 32})), "32x32, got 40x32");
  VisionTransformer dynamic(small_vit_options().dynamic_img_size(true));
  EXPECT_EQ(dynamic->forward(torch::zeros({1, 3, 40, 24})).sizes(), (Shape{1, 5}));
  EXPECT_VALUE_ERROR(dynamic->forward(torch::zeros({1, 3, 36, 32})), "nearest: 32x32 and 40x32");
}

TEST(VisionTransformer, ResamplesPositionsOfACheckpoint) {
  VisionTransformer model(small_vit_options().img_size({16, 64}));  // 2x8 patches
  const auto square = torch::randn({1, 1 + 36, 16});
  const auto adapted = model->adapt_weight("pos_embed", square, nullptr);
  EXPECT_TENSOR_NEAR(adapted, resample_position_embedding(square, {6, 6}, {2, 8}, 1), 0);
  // Of as many patches they are the model's own, unless the origin says otherwise.
  const auto as_many = torch::randn({1, 1 + 16, 16});
  EXPECT_TRUE(model->adapt_weight("pos_embed", as_many, nullptr).is_same(as_many));
  const auto of_square = resample_position_embedding(as_many, {4, 4}, {2, 8}, 1);
  const auto of_column = resample_position_embedding(as_many, {8, 2}, {2, 8}, 1);
  const auto column = ModelOptions().img_size(64, 16);
  const ModelOptions published;
  EXPECT_TENSOR_NEAR(model->adapt_weight("pos_embed", as_many, &published), of_square, 0);
  EXPECT_TENSOR_NEAR(model->adapt_weight("pos_embed", as_many, &column), of_column, 0);
  const auto own = model->model_options();
  EXPECT_TRUE(model->adapt_weight("pos_embed", as_many, &own).is_same(as_many));
  // What no rule fits stays as it is, to be refused by its shape.
  for (const auto& value :
       {torch::randn({1, 1 + 35, 16}),
        torch::randn({1, 1 + 36, 8}),
        torch::randn({1, 1, 16}),
        torch::randn({37, 16})}) {
    EXPECT_TRUE(model->adapt_weight("pos_embed", value, nullptr).is_same(value)) << value.sizes();
  }
  const auto other = torch::randn({1, 37, 16});
  EXPECT_TRUE(model->adapt_weight("cls_token", other, nullptr).is_same(other));
}

TEST(VisionTransformer, RaisesDropPathLinearly) {
  VisionTransformer model(small_vit_options().depth(3).drop_path_rate(0.4));
  const double expected[] = {0, 0.2, 0.4};
  for (size_t i = 0; i < 3; ++i) {
    const auto& block = model->blocks->at<TransformerBlockImpl>(i);
    EXPECT_DOUBLE_EQ(block.drop_path1->p, expected[i]);
    EXPECT_DOUBLE_EQ(block.drop_path2->p, expected[i]);
  }
}

TEST(VisionTransformer, DropsEmbeddedTokensAndFeatures) {
  torch::manual_seed(0);
  VisionTransformer model(small_vit_options().pos_drop_rate(0.5).drop_rate(0.25).num_classes(0));
  struct Positions : Observer {
    void on_value(
        const torch::nn::Module&, std::string_view step, const torch::Tensor& x) override {
      zeros = step == "positions" ? (x == 0).to(torch::kFloat).mean().item<double>() : zeros;
    }
    double zeros = 0;
  } positions;
  const ObserverGuard guard(positions);
  const auto pooled = model->forward(torch::randn({64, 3, 32, 32}));
  EXPECT_NEAR(positions.zeros, 0.5, 0.02);
  EXPECT_NEAR((pooled == 0).to(torch::kFloat).mean().item<double>(), 0.25, 0.06);
}

TEST(VisionTransformer, StartsAsThePapersCodeDoes) {
  torch::manual_seed(0);
  VisionTransformer model(small_vit_options().embed_dim(128));
  for (const auto& item : model->named_parameters()) {
    const auto& key = item.key();
    const auto& value = item.value();
    const auto ends_with = [&](const std::string& end) {
      return key.size() >= end.size() && key.compare(key.size() - end.size(), end.size(), end) == 0;
    };
    if (key == "cls_token") {
      EXPECT_LT(value.abs().max().item<double>(), 1e-5);
    } else if (key == "pos_embed" || (value.dim() == 2 && key != "head.weight")) {
      EXPECT_NEAR(value.std().item<double>(), 0.02, 0.001) << key;
    } else if (key == "head.weight") {
      EXPECT_NEAR(value.std().item<double>(), 0.02, 0.003);
    } else if (ends_with(".bias") && key != "patch_embed.proj.bias") {
      EXPECT_EQ(value.abs().max().item<double>(), 0) << key;
    } else if (value.dim() == 1 && ends_with(".weight")) {
      EXPECT_TRUE((value == 1).all().item<bool>()) << key;
    }
  }
  // The patches' convolution starts as any of torch: uniform within 1 / sqrt(fan-in).
  const auto bound = 1 / std::sqrt(3.0 * 8 * 8);
  EXPECT_LE(model->patch_embed->proj->weight.abs().max().item<double>(), bound);
  EXPECT_GT(model->patch_embed->proj->weight.abs().max().item<double>(), 0.99 * bound);
}

TEST(VisionTransformer, RejectsOptionsOutOfRange) {
  const auto make = [](const VisionTransformerOptions& options) {
    VisionTransformer model(options);
  };
  EXPECT_VALUE_ERROR(
      make(small_vit_options().global_pool("max")), "token, avg, mean_all or token_avg, got 'max'");
  EXPECT_VALUE_ERROR(make(small_vit_options().global_pool("a\x1b[2J")), "got 'a\\x1b[2J'");
  EXPECT_VALUE_ERROR(make(small_vit_options().class_token(false)), "needs the class token");
  EXPECT_VALUE_ERROR(make(small_vit_options().interpolate_offset(1)), "interpolate_offset");
  EXPECT_VALUE_ERROR(make(small_vit_options().depth(0)), "depth");
  EXPECT_VALUE_ERROR(make(small_vit_options().num_heads(3)), "multiple of num_heads");
  EXPECT_VALUE_ERROR(make(small_vit_options().num_heads(0)), "num_heads");
  EXPECT_VALUE_ERROR(
      make(small_vit_options().img_size({36, 32})),
      "no multiple of the patch, 8; the nearest: 32x32 and 40x32");
  EXPECT_VALUE_ERROR(make(small_vit_options().pos_drop_rate(1)), "pos_drop_rate");
  EXPECT_VALUE_ERROR(make(small_vit_options().norm_eps(-1)), "norm_eps");
}

}  // namespace
}  // namespace vitrine
