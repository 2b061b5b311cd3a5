#include "vitrine/infer/predictor.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

ModelOptions tiny_options(int64_t classes = 4) {
  return ModelOptions()
      .num_classes(classes)
      .img_size(32)
      .set("patch_size", int64_t{8})
      .set("embed_dim", int64_t{16})
      .set("depth", int64_t{1})
      .set("num_heads", int64_t{2});
}

ModelCard tiny_card(int64_t classes = 4) {
  auto card = find_card("test_vit");
  card.options = tiny_options(classes);
  card.preprocess.height(32).width(32);
  return card;
}

/// A model whose head answers `logits` to every image.
std::shared_ptr<Classifier> constant_model(const std::vector<float>& logits) {
  auto model = create_model("test_vit", tiny_options(static_cast<int64_t>(logits.size())));
  const torch::NoGradGuard no_grad;
  auto parameters = model->named_parameters();
  parameters["head.weight"].zero_();
  parameters["head.bias"].copy_(torch::tensor(logits));
  return model;
}

Predictor constant_predictor(
    const std::vector<float>& logits, std::vector<std::string> labels = {}) {
  auto card = tiny_card(static_cast<int64_t>(logits.size()));
  card.labels = std::move(labels);
  return {constant_model(logits), card};
}

torch::Tensor grey_image() {
  return torch::full({40, 50, 3}, 128, torch::kByte);
}

std::vector<int64_t> indices(const std::vector<Prediction>& predictions) {
  std::vector<int64_t> result;
  for (const auto& prediction : predictions) {
    result.push_back(prediction.index);
  }
  return result;
}

TEST(Predictor, GivesTheLikeliestFirst) {
  const auto predictor = constant_predictor({0, 2, 1, -1}, {"a", "b", "c", "d"});
  const auto answer = predictor.classify(grey_image(), /*top_k=*/3);
  EXPECT_EQ(indices(answer), (std::vector<int64_t>{1, 2, 0}));
  EXPECT_EQ(answer[0].label, "b");
  EXPECT_NEAR(answer[0].logit, 2, 1e-6);
  const double sum = std::exp(0.0) + std::exp(2.0) + std::exp(1.0) + std::exp(-1.0);
  EXPECT_NEAR(answer[0].probability, std::exp(2.0) / sum, 1e-6);
}

TEST(Predictor, GivesEveryClassByIndexForTopZero) {
  const auto answer = constant_predictor({0, 2, 1, -1}).classify(grey_image(), /*top_k=*/0);
  EXPECT_EQ(indices(answer), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(answer[3].label, "3") << "without names the index stands for the label";
}

TEST(Predictor, GivesAllClassesWhenMoreAreAskedFor) {
  EXPECT_EQ(constant_predictor({0, 1}).classify(grey_image(), /*top_k=*/99).size(), 2U);
}

TEST(Predictor, PutsTheLowerIndexFirstAmongEquals) {
  const auto answer = constant_predictor({1, 1, 1, 1}).classify(grey_image(), /*top_k=*/2);
  EXPECT_EQ(indices(answer), (std::vector<int64_t>{0, 1}));
}

TEST(Predictor, RefusesWhatItCannotAnswer) {
  const auto predictor = constant_predictor({0, 1});
  EXPECT_THROW(predictor.classify(grey_image(), -1), c10::ValueError);
  EXPECT_THROW(predictor.classify(torch::zeros({40, 50, 3})), c10::ValueError);
  EXPECT_THROW(predictor.classify_batch(torch::zeros({3, 32, 32})), c10::ValueError);
  EXPECT_THROW(predictor.classify_batch(torch::zeros({1, 1, 32, 32})), c10::ValueError);
  EXPECT_THROW(
      predictor.classify_batch(torch::zeros({1, 3, 32, 32}, torch::kByte)), c10::ValueError);
  EXPECT_THROW(constant_predictor({0, 1}, {"one", "two", "three"}), c10::ValueError);
  EXPECT_THROW(Predictor(nullptr, tiny_card()), c10::ValueError);
}

TEST(Predictor, RefusesAModelWithoutHead) {
  const Predictor predictor(create_model("test_vit", tiny_options(0)), tiny_card(0));
  EXPECT_THROW(predictor.classify(grey_image()), c10::ValueError);
}

TEST(Predictor, DoesNotPassNonsenseForAnAnswer) {
  const auto predictor = constant_predictor({0, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THROW(predictor.classify(grey_image()), Error);
}

TEST(Predictor, AnswersABatchAsEachImageAlone) {
  torch::manual_seed(1);
  const Predictor predictor(create_model("test_vit", tiny_options()), tiny_card());
  const auto batch = torch::randn({3, 3, 32, 32});
  const auto together = predictor.logits(batch);
  ASSERT_EQ(together.sizes(), (std::vector<int64_t>{3, 4}));
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        torch::allclose(predictor.logits(batch.slice(0, i, i + 1))[0], together[i], 0, 1e-5));
  }
}

TEST(Predictor, GivesTheFeaturesThatTheHeadSees) {
  torch::manual_seed(1);
  const auto model = create_model("test_vit", tiny_options());
  const auto head = model->named_parameters();
  const Predictor predictor(model, tiny_card());
  const auto batch = torch::randn({3, 3, 32, 32});
  const auto features = predictor.features(batch);
  ASSERT_EQ(features.sizes(), (std::vector<int64_t>{3, 16}));
  EXPECT_FALSE(features.requires_grad());
  const auto logits =
      torch::linear(features, head["head.weight"].detach(), head["head.bias"].detach());
  EXPECT_TENSOR_NEAR(logits, predictor.logits(batch), 1e-5);
  // They do not depend on a head being there.
  model->reset_classifier(0);
  EXPECT_TENSOR_NEAR(predictor.features(batch), features, 0);
  EXPECT_THROW(predictor.features(torch::zeros({3, 32, 32})), c10::ValueError);
  EXPECT_THROW(predictor.features(torch::full({1, 3, 32, 32}, NAN)), Error);
}

TEST(Predictor, EvaluatesWithoutGradients) {
  auto options = tiny_options();
  options.set("proj_drop_rate", 0.5);
  const auto model = create_model("test_vit", options);
  const Predictor predictor(model, tiny_card());
  EXPECT_FALSE(model->is_training());
  const auto images = torch::randn({1, 3, 32, 32});
  const auto logits = predictor.logits(images);
  EXPECT_FALSE(logits.requires_grad());
  EXPECT_TRUE(torch::equal(logits, predictor.logits(images)));
  // The model can still be trained.
  model->train();
  model->forward(images).sum().backward();
  EXPECT_TRUE(model->parameters()[0].grad().defined());
}

TEST(Predictor, AnswersSeveralThreadsAtOnce) {
  torch::manual_seed(2);
  const Predictor predictor(create_model("test_vit", tiny_options()), tiny_card());
  std::vector<torch::Tensor> images;
  std::vector<torch::Tensor> expected;
  for (int i = 0; i < 4; ++i) {
    images.push_back(torch::randn({2, 3, 32, 32}));
    expected.push_back(predictor.logits(images.back()));
  }
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        wrong[i] += torch::allclose(predictor.logits(images[i]), expected[i], 0, 1e-5) ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(Predictor, OpensAModelFile) {
  const TemporaryFolder folder;
  auto card = tiny_card();
  card.labels = {"a", "b", "c", "d"};
  save_model(folder / "model.safetensors", *constant_model({0, 2, 1, -1}), card);
  const auto predictor = Predictor::from_file(folder / "model.safetensors");
  EXPECT_EQ(predictor.card().labels, card.labels);
  EXPECT_EQ(predictor.classify(grey_image(), 1)[0].label, "b");
  expect_refusal(
      [&] { predictor.classify(folder / "none.jpg"); }, folder / "none.jpg: ", {"cannot open"});
  expect_refusal(
      [&] { Predictor::from_file(folder / "none.safetensors"); },
      folder / "none.safetensors: ",
      {"cannot open"});
}

}  // namespace
}  // namespace vitrine
