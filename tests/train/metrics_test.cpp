#include "vitrine/train/metrics.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(RunningMean, WeighsBatchesByTheirSize) {
  RunningMean mean;
  EXPECT_EQ(mean.value(), 0);
  mean.add(1, 3);
  mean.add(5, 1);
  EXPECT_DOUBLE_EQ(mean.value(), 2);
  EXPECT_EQ(mean.count(), 4);
}

TEST(CountCorrect, CountsClassesAmongTheLargest) {
  const auto logits = torch::tensor({{0.1F, 0.9F, 0.5F}, {3.0F, 2.0F, 1.0F}});
  const auto targets = torch::tensor({2, 0}, torch::kInt64);
  EXPECT_EQ(count_correct(logits, targets, 1), 1);
  EXPECT_EQ(count_correct(logits, targets, 2), 2);
  EXPECT_EQ(count_correct(logits, targets, 5), 2);
  EXPECT_THROW(count_correct(logits, targets, 0), c10::ValueError);
  EXPECT_THROW(count_correct(logits, torch::zeros(3, torch::kInt64), 1), c10::ValueError);
}

TEST(CountCorrect, TakesTheFirstOfEqualLogits) {
  const auto equal = torch::zeros({4, 16});
  const auto targets = torch::tensor({0, 1, 4, 5}, torch::kInt64);
  EXPECT_EQ(count_correct(equal, targets, 1), equal.argmax(1).eq(targets).sum().item<int64_t>());
  EXPECT_EQ(count_correct(equal, targets, 1), 1);
  EXPECT_EQ(count_correct(equal, targets, 5), 3);
  EXPECT_EQ(count_correct(equal, targets, 16), 4);
  const auto two = torch::tensor({{1.0F, 2.0F, 2.0F}, {1.0F, 2.0F, 2.0F}});
  EXPECT_EQ(count_correct(two, torch::tensor({1, 2}, torch::kInt64), 1), 1);
  EXPECT_EQ(count_correct(two, torch::tensor({0, 2}, torch::kInt64), 2), 1);
}

TEST(ConfusionMatrix, GivesScoresByClass) {
  ConfusionMatrix matrix(3);
  // Class 0 is taken for 0, 0 and 1; class 1 for 1; class 2 never comes.
  matrix.add(torch::tensor({0, 0, 1}, torch::kInt64), torch::tensor({0, 0, 0}, torch::kInt64));
  matrix.add(torch::tensor({1}, torch::kInt64), torch::tensor({1}, torch::kInt64));
  EXPECT_EQ(matrix.counts().to_dense()[0][1].item<int64_t>(), 1);
  const auto scores = matrix.scores();
  EXPECT_DOUBLE_EQ(scores[0].precision, 1);
  EXPECT_DOUBLE_EQ(scores[0].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores[0].f1, 0.8);
  EXPECT_EQ(scores[0].images, 3);
  EXPECT_DOUBLE_EQ(scores[1].precision, 0.5);
  EXPECT_DOUBLE_EQ(scores[1].recall, 1);
  EXPECT_DOUBLE_EQ(scores[2].f1, 0);
  EXPECT_EQ(scores[2].images, 0);
}

TEST(ConfusionMatrix, TakesMemoryByItsImagesNotByItsClasses) {
  constexpr int64_t kClasses = 1'000'000;  // a dense matrix of them would have 8 TB
  ConfusionMatrix matrix(kClasses);
  matrix.add(
      torch::tensor({kClasses - 1, int64_t{5}, int64_t{5}}),
      torch::tensor({kClasses - 1, kClasses - 1, int64_t{5}}));
  EXPECT_EQ(matrix.counts().sizes(), (std::vector<int64_t>{kClasses, kClasses}));
  const auto values = torch::ones({3}, torch::kInt64);
  EXPECT_TRUE(matrix.counts().values().equal(values));
  const auto last = kClasses - 1;
  EXPECT_TRUE(matrix.counts().indices().equal(torch::tensor({{5L, last, last}, {5L, 5L, last}})));
  const auto scores = matrix.scores();
  EXPECT_DOUBLE_EQ(scores[5].precision, 0.5);
  EXPECT_DOUBLE_EQ(scores[kClasses - 1].recall, 0.5);
}

TEST(ConfusionMatrix, RefusesAClassBeyondTheLast) {
  ConfusionMatrix matrix(2);
  EXPECT_THROW(
      matrix.add(torch::tensor({2}, torch::kInt64), torch::tensor({0}, torch::kInt64)),
      c10::ValueError);
}

}  // namespace
}  // namespace vitrine
