#include <torch/utils.h>

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "vitrine/models/registry.h"

#include "small_models.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

// What every model of the zoo promises, on one small model of each family.

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

TEST(EveryModel, GivesEqualLogitsForAnImageInAnyBatch) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->eval();
    const auto batch = images(3);
    const auto logits = (*model)(batch);
    EXPECT_EQ(logits.sizes(), (Shape{3, 5}));
    for (int64_t i = 0; i < 3; ++i) {
      EXPECT_TENSOR_NEAR((*model)(batch.slice(0, i, i + 1)), logits.slice(0, i, i + 1), 1e-5);
    }
  }
}

TEST(EveryModel, IsDeterministicInEvaluation) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, model] : small_models()) {
    model->eval();
    EXPECT_TRUE((*model)(images(2)).equal((*model)(images(2)))) << name;
  }
}

TEST(EveryModel, SplitsIntoFeaturesAndHead) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->eval();
    const auto features = model->forward_features(images(2));
    EXPECT_TENSOR_NEAR(model->forward_head(features), model->forward(images(2)), 1e-6);
    EXPECT_EQ(model->forward_head(features, true).sizes(), (Shape{2, model->num_features()}));
  }
}

TEST(EveryModel, GivesTheMeanOfItsHeads) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->eval();
    const auto features = model->forward_features(images(2));
    const auto heads = model->forward_heads(features);
    ASSERT_EQ(heads.size(), model->classifier_names().size());
    for (const auto& logits : heads) {
      EXPECT_EQ(logits.sizes(), (Shape{2, 5}));
    }
    EXPECT_TENSOR_NEAR(torch::stack(heads).mean(0), model->forward_head(features), 1e-6);
  }
}

TEST(EveryModel, GivesGradientsToEveryParameter) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    const auto logits = (*model)(images(4));
    (logits * torch::randn_like(logits)).sum().backward();
    for (const auto& item : model->named_parameters()) {
      const auto& grad = item.value().grad();
      ASSERT_TRUE(grad.defined()) << item.key();
      EXPECT_TRUE(grad.isfinite().all().item<bool>()) << item.key();
      EXPECT_GT(grad.abs().max().item<double>(), 0) << item.key();
    }
  }
}

TEST(EveryModel, DiffersFromCallToCallWithDropout) {
  const auto rates = ModelOptions()
                         .drop_rate(0.2)
                         .drop_path_rate(0.2)
                         .set("proj_drop_rate", 0.1)
                         .set("attn_drop_rate", 0.1);
  auto with_positions = rates;
  with_positions.set("pos_drop_rate", 0.1);
  const std::vector<std::shared_ptr<Classifier>> models = {
      VisionTransformer(apply(small_vit_options(), with_positions)).ptr(),
      VisionTransformer(apply(small_vit_options().distilled(true), with_positions)).ptr(),
      VisionTransformer(apply(small_dinov2_options(), with_positions)).ptr(),
      SwinTransformer(apply(small_swin_options(), rates)).ptr(),
      SwinTransformer(apply(small_swin_options().version(2), rates)).ptr(),
      MobileVit(apply(small_mobilevit_options(), rates)).ptr(),
      MobileVit(apply(small_mobilevit_options().version(2), rates)).ptr()};
  for (const auto& model : models) {
    SCOPED_TRACE(model->name());
    const auto batch = images(4);
    const auto first = (*model)(batch);
    EXPECT_TRUE(first.isfinite().all().item<bool>());
    EXPECT_FALSE((*model)(batch).equal(first));
    model->eval();
    EXPECT_TRUE((*model)(batch).equal((*model)(batch)));
  }
}

TEST(EveryModel, StartsAlikeFromTheSameSeed) {
  const auto make = [](uint64_t seed) {
    torch::manual_seed(seed);
    return small_models();
  };
  const auto first = make(3);
  const auto second = make(3);
  const auto other = make(4);
  for (size_t i = 0; i < first.size(); ++i) {
    SCOPED_TRACE(first[i].first);
    EXPECT_TRUE((*first[i].second)(images(2)).equal((*second[i].second)(images(2))));
    EXPECT_FALSE((*first[i].second)(images(2)).equal((*other[i].second)(images(2))));
  }
}

TEST(EveryModel, ReplacesItsHead) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->eval();
    const auto pooled = model->forward_head(model->forward_features(images(2)), true);
    model->reset_classifier(7);
    EXPECT_EQ(model->num_classes(), 7);
    EXPECT_EQ((*model)(images(2)).sizes(), (Shape{2, 7}));
    for (const auto& head : model->classifier_names()) {
      EXPECT_EQ(
          model->named_parameters()[head + ".weight"].sizes(), (Shape{7, model->num_features()}));
    }
    for (const auto& module : model->modules()) {
      EXPECT_FALSE(module->is_training()) << module->name();
    }
    EXPECT_EQ(std::get<int64_t>(model->model_options().values().at("num_classes")), 7);
    EXPECT_TENSOR_NEAR(model->forward_head(model->forward_features(images(2)), true), pooled, 1e-6);
    model->reset_classifier(0);
    EXPECT_EQ(model->num_classes(), 0);
    for (const auto& head : model->classifier_names()) {
      EXPECT_FALSE(model->named_parameters().contains(head + ".weight"));
    }
    EXPECT_TENSOR_NEAR((*model)(images(2)), pooled, 1e-6);
    model->reset_classifier(3);
    EXPECT_EQ((*model)(images(2)).sizes(), (Shape{2, 3}));
  }
}

TEST(EveryModel, KeepsItsHeadWhenTheNewOneIsImpossible) {
  for (const auto& entry : small_models()) {
    SCOPED_TRACE(entry.first);
    const auto& model = entry.second;
    EXPECT_VALUE_ERROR(model->reset_classifier(-1), "num_classes");
    EXPECT_ANY_THROW(model->reset_classifier(int64_t{1} << 60));
    EXPECT_EQ(model->num_classes(), 5);
    EXPECT_EQ((*model)(images(2)).sizes(), (Shape{2, 5}));
  }
}

TEST(EveryModel, KeepsTheTypeOfItsParametersInANewHead) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->to(torch::kDouble);
    model->reset_classifier(4);
    EXPECT_EQ((*model)(images(2).to(torch::kDouble)).scalar_type(), torch::kDouble);
  }
}

TEST(EveryModel, NamesTheImagesItExpects) {
  for (const auto& entry : small_models()) {
    SCOPED_TRACE(entry.first);
    const auto& model = entry.second;
    EXPECT_VALUE_ERROR((*model)(torch::zeros({2, 4, 32, 32})), "[B, 3, H, W], got [2, 4, 32, 32]");
    EXPECT_VALUE_ERROR((*model)(torch::zeros({3, 32, 32})), "[B, 3, H, W], got [3, 32, 32]");
    EXPECT_VALUE_ERROR((*model)(torch::zeros({1, 3, 0, 32})), "0");
  }
}

TEST(EveryModel, TakesImagesOfOtherChannels) {
  const auto one = ModelOptions().in_chans(1).num_classes(2);
  for (const auto* name :
       {"vitrine_vit_patch4_32",
        "vitrine_swin_patch2_window4_32",
        "mobilevit_xxs",
        "mobilevitv2_050"}) {
    const auto model = create_model(name, one);
    EXPECT_EQ(model->in_chans(), 1);
    EXPECT_EQ((*model)(torch::randn({2, 1, 32, 32})).sizes(), (Shape{2, 2}));
  }
}

TEST(EveryModel, PrintsItsTree) {
  const std::vector<std::vector<std::string>> expected = {
      {"vitrine::VisionTransformer(img_size=32x32", "(blocks)", "vitrine::Attention(dim=16"},
      {"vitrine::SwinTransformer(img_size=32x32", "vitrine::SwinStage(dim=16", "window_size=4x4"},
      {"vitrine::MobileVit(channels=[8, 16]", "vitrine::MobileVitBlock(", "(conv_fusion)"},
      {"(head_dist)"},
      {"vitrine::LayerScale(dim=16"},
      {"(norm)"},
      {"version=2", "cosine=true", "(cpb_mlp)"},
      {"version=2", "vitrine::MobileVitV2Block(", "vitrine::LinearAttention("}};
  const auto models = small_models();
  ASSERT_EQ(models.size(), expected.size());
  for (size_t i = 0; i < models.size(); ++i) {
    std::ostringstream stream;
    stream << *models[i].second;
    for (const auto& part : expected[i]) {
      EXPECT_PRED_FORMAT2(testing::IsSubstring, part, stream.str());
    }
  }
}

}  // namespace
}  // namespace vitrine
