#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/layers/sincos_position.h"
#include "vitrine/layers/transformer_block.h"
#include "vitrine/models/vit.h"
#include "vitrine/weights/state_dict.h"

#include "small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

// The options that make a ViT a DeiT, a DINOv2 or a SimpleViT.

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

/// A model without classes whose blocks add nothing: features are what the tokens start from.
VisionTransformer plain_vit(const VisionTransformerOptions& options) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  VisionTransformer model(options);
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

torch::Tensor images() {
  torch::manual_seed(1);
  return torch::randn({2, 3, 32, 32});
}

TEST(DistilledVit, PutsItsTokenAfterTheClassToken) {
  const torch::NoGradGuard no_grad;
  auto model = plain_vit(small_vit_options().distilled(true).num_classes(0));
  const auto one = [&](const torch::Tensor& token) { return token.expand({2, 1, 16}); };
  const auto tokens =
      torch::cat({one(model->cls_token), one(model->dist_token), model->patch_embed(images())}, 1);
  EXPECT_TENSOR_NEAR(
      model->forward_features(images()), normalised(tokens + model->pos_embed), 1e-6);
  EXPECT_EQ(model->pos_embed.sizes(), (Shape{1, 18, 16}));
}

TEST(DistilledVit, GivesEachTokenToItsOwnHead) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  VisionTransformer model(small_vit_options().distilled(true));
  const auto features = torch::randn({2, 18, 16});
  const auto heads = model->forward_heads(features);
  ASSERT_EQ(heads.size(), 2U);
  EXPECT_TENSOR_NEAR(heads[0], model->head(features.select(1, 0)), 1e-6);
  EXPECT_TENSOR_NEAR(heads[1], model->head_dist(features.select(1, 1)), 1e-6);
  EXPECT_TENSOR_NEAR(model->forward_head(features), (heads[0] + heads[1]) / 2, 1e-6);
  EXPECT_TENSOR_NEAR(
      model->forward_head(features, /*pre_logits=*/true), features.slice(1, 0, 2).mean(1), 1e-6);
  EXPECT_EQ(model->classifier_names(), (std::vector<std::string>{"head", "head_dist"}));
}

TEST(DistilledVit, ReplacesBothHeads) {
  VisionTransformer model(small_vit_options().distilled(true));
  model->reset_classifier(7);
  EXPECT_EQ(model->head->weight.sizes(), (Shape{7, 16}));
  EXPECT_EQ(model->head_dist->weight.sizes(), (Shape{7, 16}));
  model->reset_classifier(0);
  EXPECT_FALSE(model->head);
  EXPECT_FALSE(model->head_dist);
  EXPECT_EQ(model->forward(images()).sizes(), (Shape{2, 16}));
}

TEST(DistilledVit, TakesNeitherMeansNorRegisters) {
  const auto make = [](const VisionTransformerOptions& options) {
    VisionTransformer model(options);
  };
  EXPECT_VALUE_ERROR(make(small_vit_options().distilled(true).global_pool("avg")), "distilled");
  EXPECT_VALUE_ERROR(make(small_vit_options().distilled(true).reg_tokens(4)), "got token and 4");
}

TEST(VitWithRegisters, PutsThemBetweenClassTokenAndPatches) {
  const torch::NoGradGuard no_grad;
  auto model = plain_vit(small_vit_options().reg_tokens(3).num_classes(0));
  const auto all = [&](const torch::Tensor& tokens) { return tokens.expand({2, -1, 16}); };
  const auto tokens =
      torch::cat({all(model->cls_token), all(model->reg_token), model->patch_embed(images())}, 1);
  EXPECT_TENSOR_NEAR(
      model->forward_features(images()), normalised(tokens + model->pos_embed), 1e-6);
}

TEST(VitWithRegisters, LeavesThemOutOfTheMeanOfThePatches) {
  const torch::NoGradGuard no_grad;
  auto options = small_vit_options().reg_tokens(3).num_classes(0);
  const auto features = torch::randn({2, 20, 16});
  EXPECT_TENSOR_NEAR(
      VisionTransformer(options.global_pool("avg"))->forward_head(features),
      normalised(features.slice(1, 4).mean(1)),
      1e-6);
  EXPECT_TENSOR_NEAR(
      VisionTransformer(options.global_pool("mean_all"))->forward_head(features),
      normalised(features.mean(1)),
      1e-6);
}

TEST(VitWithBothPools, GivesItsHeadTheClassTokenAndTheMeanOfThePatches) {
  const torch::NoGradGuard no_grad;
  VisionTransformer model(small_vit_options().reg_tokens(3).global_pool("token_avg"));
  const auto features = torch::randn({2, 20, 16});
  const auto pooled = torch::cat({features.select(1, 0), features.slice(1, 4).mean(1)}, 1);
  EXPECT_TENSOR_NEAR(model->forward_head(features, /*pre_logits=*/true), pooled, 1e-6);
  EXPECT_TENSOR_NEAR(model->forward_head(features), model->head(pooled), 1e-6);
  EXPECT_TRUE(model->norm);
  EXPECT_EQ(model->num_features(), 32);
  model->reset_classifier(7);
  EXPECT_EQ(model->head->weight.sizes(), (Shape{7, 32}));
  auto options = small_vit_options().global_pool("token_avg");
  EXPECT_VALUE_ERROR(
      VisionTransformer(options.class_token(false)), "token_avg needs the class token");
  EXPECT_VALUE_ERROR(
      VisionTransformer(options.class_token(true).fc_norm(true)), "token_avg needs fc_norm false");
}

TEST(VitWithoutEmbeddedClass, AddsPositionsToThePatchesAlone) {
  const torch::NoGradGuard no_grad;
  auto model = plain_vit(small_vit_options().reg_tokens(2).no_embed_class(true).num_classes(0));
  const auto patches = model->patch_embed(images()) + model->pos_embed;
  const auto all = [&](const torch::Tensor& tokens) { return tokens.expand({2, -1, 16}); };
  const auto tokens = torch::cat({all(model->cls_token), all(model->reg_token), patches}, 1);
  EXPECT_TENSOR_NEAR(model->forward_features(images()), normalised(tokens), 1e-6);
  EXPECT_EQ(model->pos_embed.sizes(), (Shape{1, 16, 16}));
}

TEST(VitWithoutEmbeddedClass, ResamplesEveryPositionOfACheckpoint) {
  VisionTransformer model(small_vit_options().no_embed_class(true));
  const auto square = torch::randn({1, 36, 16});
  EXPECT_TENSOR_NEAR(
      model->adapt_weight("pos_embed", square, nullptr),
      resample_position_embedding(square, {6, 6}, {4, 4}, 0),
      0);
  const auto with_class = torch::randn({1, 37, 16});
  EXPECT_TRUE(model->adapt_weight("pos_embed", with_class, nullptr).is_same(with_class));
}

TEST(VitWithLayerScale, StartsItsFactorsAtTheValueGiven) {
  VisionTransformer model(small_vit_options().init_values(1e-5).mlp_layer("swiglu"));
  const auto& block = model->blocks->at<TransformerBlockImpl>(1);
  EXPECT_TRUE((block.ls1->gamma == 1e-5F).all().item<bool>());
  EXPECT_TRUE((block.ls2->gamma == 1e-5F).all().item<bool>());
  EXPECT_TRUE(block.mlp->options.gated());
  EXPECT_EQ(block.mlp->options.activation(), Activation::Silu);
}

TEST(SimpleVit, HasFixedPositionsThatNoFileHolds) {
  const torch::NoGradGuard no_grad;
  auto model = plain_vit(small_simple_vit_options().dual_patch_norm(false).num_classes(0));
  const auto positions = sincos_position_embedding({4, 4}, 16);
  const auto tokens = normalised(model->patch_embed(images()) + positions);
  EXPECT_TENSOR_NEAR(model->forward_features(images()), tokens, 1e-6);
  EXPECT_TENSOR_NEAR(model->forward(images()), tokens.mean(1), 1e-6);
  for (const auto& key : state_dict(*model).keys()) {
    EXPECT_EQ(key.find("pos_embed"), std::string::npos) << key;
  }
  const auto value = torch::randn({1, 36, 16});
  EXPECT_TRUE(model->adapt_weight("pos_embed", value, nullptr).is_same(value));
}

TEST(SimpleVit, HasPositionsForEverySizeWhenDynamic) {
  const torch::NoGradGuard no_grad;
  auto model = plain_vit(small_simple_vit_options().dynamic_img_size(true).num_classes(0));
  const auto wide = torch::randn({2, 3, 24, 48});
  const auto tokens = model->patch_embed(wide) + sincos_position_embedding({3, 6}, 16);
  EXPECT_TENSOR_NEAR(model->forward_features(wide), normalised(tokens), 1e-6);
}

TEST(SimpleVit, NormalisesPatchesOnBothSides) {
  VisionTransformer model(small_simple_vit_options());
  EXPECT_TRUE(model->patch_embed->options.pre_norm());
  EXPECT_EQ(model->patch_embed->norm->weight.sizes(), (Shape{16}));
}

TEST(VisionTransformer, StartsItsOtherTokensAsTheirPapersDo) {
  torch::manual_seed(0);
  VisionTransformer distilled(small_vit_options().embed_dim(256).distilled(true));
  EXPECT_NEAR(distilled->dist_token.std().item<double>(), 0.02, 0.004);
  EXPECT_NEAR(distilled->head_dist->weight.std().item<double>(), 0.02, 0.003);
  VisionTransformer registers(small_vit_options().reg_tokens(4));
  EXPECT_LT(registers->reg_token.abs().max().item<double>(), 1e-5);
}

TEST(VisionTransformer, RejectsVariantsOutOfRange) {
  const auto make = [](const VisionTransformerOptions& options) {
    VisionTransformer model(options);
  };
  EXPECT_VALUE_ERROR(make(small_vit_options().mlp_layer("glu")), "mlp or swiglu, got 'glu'");
  EXPECT_VALUE_ERROR(make(small_vit_options().pos_embed("")), "learn or sincos2d, got ''");
  EXPECT_VALUE_ERROR(make(small_vit_options().reg_tokens(-1)), "reg_tokens");
  EXPECT_VALUE_ERROR(make(small_vit_options().reg_tokens(1001)), "reg_tokens");
  EXPECT_VALUE_ERROR(make(small_vit_options().init_values(NAN)), "init_values");
  EXPECT_VALUE_ERROR(
      make(small_vit_options().embed_dim(18).pos_embed("sincos2d")), "multiple of 4");
}

}  // namespace
}  // namespace vitrine
