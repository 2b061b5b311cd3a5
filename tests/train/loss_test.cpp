#include "vitrine/train/loss.h"

#include <ATen/ops/cross_entropy_loss.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "support/tensor_assert.h"
#include "support/value_error.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

LossOptions loss_options_of(const nlohmann::json& given) {
  auto options = LossOptions()
                     .smoothing(given["smoothing"].get<double>())
                     .bce_loss(given.value("bce_loss", false))
                     .bce_sum(given.value("bce_sum", false))
                     .class_weights(given.value("class_weights", std::vector<double>()));
  if (given.contains("bce_target_thresh")) {
    options.bce_target_thresh(given["bce_target_thresh"].get<double>());
  }
  return options;
}

TEST(ClassificationLoss, EqualsTimms) {
  const auto golden = recipe_golden()["losses"];
  const auto logits = to_tensor(golden["logits"]);
  const auto classes = torch::tensor(golden["target"].get<std::vector<int64_t>>());
  for (const auto& expected : golden["cases"]) {
    const auto targets = expected["soft"].get<bool>() ? to_tensor(golden["soft"]) : classes;
    const auto loss = classification_loss(logits, targets, loss_options_of(expected["options"]));
    EXPECT_NEAR(loss.item<double>(), expected["loss"].get<double>(), 1e-6) << expected.dump();
  }
}

TEST(ClassificationLoss, IsTheSameForClassesAndForTheirSoftTargets) {
  torch::manual_seed(0);
  const auto logits = torch::randn({6, 3});
  const auto classes = torch::tensor({0, 1, 2, 2, 1, 0}, torch::kInt64);
  const auto soft = soft_targets(classes, 3, /*smoothing=*/0.2);
  EXPECT_TENSOR_NEAR(soft.sum(1), torch::ones(6), 1e-6);
  for (const bool bce : {false, true}) {
    const auto options = LossOptions().smoothing(0.2).bce_loss(bce);
    EXPECT_TENSOR_NEAR(
        classification_loss(logits, soft, options),
        classification_loss(logits, classes, options),
        1e-6);
  }
}

TEST(ClassificationLoss, IsNothingForABatchOfClassesWithoutWeight) {
  torch::manual_seed(0);
  for (const double smoothing : {0.0, 0.1}) {
    const auto options = LossOptions().smoothing(smoothing).class_weights({0, 1, 2});
    for (const int64_t images : {1, 4}) {
      const auto logits = torch::randn({images, 3}, torch::requires_grad());
      const auto loss = classification_loss(logits, torch::zeros({images}, torch::kInt64), options);
      loss.backward();
      EXPECT_EQ(loss.item<double>(), 0);
      EXPECT_EQ(logits.grad().abs().max().item<double>(), 0);
    }
  }
}

TEST(ClassificationLoss, IsTorchsToTheBitWhereAClassHasWeight) {
  torch::manual_seed(0);
  const auto values = torch::randn({4, 3});
  const auto classes = torch::tensor({0, 1, 0, 2}, torch::kInt64);
  const auto weights = torch::tensor({0.F, 0.3F, 1.7F});
  for (const double smoothing : {0.0, 0.1}) {
    const auto ours = values.clone().requires_grad_();
    const auto torchs = values.clone().requires_grad_();
    const auto loss = classification_loss(
        ours, classes, LossOptions().smoothing(smoothing).class_weights({0, 0.3, 1.7}));
    const auto expected = at::cross_entropy_loss(
        torchs, classes, weights, at::Reduction::Mean, /*ignore_index=*/-100, smoothing);
    loss.backward();
    expected.backward();
    EXPECT_TRUE(torch::equal(loss, expected));
    EXPECT_TRUE(torch::equal(ours.grad(), torchs.grad()));
  }
}

TEST(ClassificationLoss, RefusesWhatCannotBe) {
  EXPECT_VALUE_ERROR(check_options(LossOptions().smoothing(1)), "smoothing");
  EXPECT_VALUE_ERROR(check_options(LossOptions().bce_sum(true)), "without bce_loss");
  EXPECT_VALUE_ERROR(check_options(LossOptions().bce_target_thresh(0.5)), "without bce_loss");
  EXPECT_VALUE_ERROR(check_options(LossOptions().class_weights({1, -1})), "at least 0, but got -1");
  EXPECT_VALUE_ERROR(check_options(LossOptions().class_weights({0, 0})), "one above 0");
  const auto logits = torch::zeros({2, 3});
  const auto classes = torch::zeros(2, torch::kInt64);
  EXPECT_VALUE_ERROR(
      classification_loss(logits, classes, LossOptions().class_weights({1, 1})),
      "each of the 3 classes, but got 2");
}

TEST(BalancedClassWeights, MakeEveryClassCountTheSame) {
  EXPECT_EQ(balanced_class_weights({1, 2, 3}), (std::vector<double>{2, 1, 6.0 / 9}));
  EXPECT_VALUE_ERROR(balanced_class_weights({1, 0}), "has to have an image");
}

}  // namespace
}  // namespace vitrine
