#include "vitrine/infer/knn.h"

#include <ATen/Functions.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <vector>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

/// Four references in the plane: two along x of class 0, one along y of class 1, one against x of
/// class 2.
LabelledFeatures cross() {
  return {
      torch::tensor({1.0F, 0.0F, 5.0F, 0.0F, 0.0F, 2.0F, -1.0F, 0.0F}).view({4, 2}),
      torch::tensor({0, 0, 1, 2}, torch::kLong)};
}

torch::Tensor matrix(const nlohmann::json& rows) {
  const auto count = static_cast<int64_t>(rows.size());
  std::vector<double> values;
  for (const auto& row : rows) {
    const auto numbers = row.get<std::vector<double>>();
    values.insert(values.end(), numbers.begin(), numbers.end());
  }
  return torch::tensor(values, torch::kDouble).view({count, -1});
}

LabelledFeatures labelled(const nlohmann::json& features, const nlohmann::json& targets) {
  return {
      matrix(features).to(torch::kFloat),
      torch::tensor(targets.get<std::vector<int64_t>>(), torch::kLong)};
}

TEST(Knn, WeighsVotesByTheExponentialOfTheCosine) {
  // Cosines of (3, 4): 0.6 and 0.6 with class 0, 0.8 with class 1; class 2 is not among the three.
  const auto scores = knn_scores(
      torch::tensor({3.0F, 4.0F}).view({1, 2}), cross(), 4, KnnOptions().k(3).temperature(0.5));
  const double a = 2 * std::exp(1.2);
  const double b = std::exp(1.6);
  EXPECT_TENSOR_NEAR(
      scores, torch::tensor({a / (a + b), b / (a + b), 0.0, 0.0}).view({1, 4}), 1e-6);
}

TEST(Knn, AgreesWithTheFormulaSpeltOut) {
  std::ifstream file(VITRINE_TEST_DATA "/golden/knn.json");
  const auto golden = nlohmann::json::parse(file);
  const auto references = labelled(golden["references"], golden["reference_targets"]);
  const auto queries = labelled(golden["queries"], golden["query_targets"]);
  const int64_t classes = golden["classes"];
  ASSERT_EQ(golden["cases"].size(), 5U);
  for (const auto& one : golden["cases"]) {
    const auto options =
        KnnOptions().k(one["k"].get<int64_t>()).temperature(one["temperature"].get<double>());
    SCOPED_TRACE(one["k"].dump() + " neighbours, temperature " + one["temperature"].dump());
    // Cosines are of float32, and a temperature of 0.02 makes 50 times of their rounding.
    EXPECT_TENSOR_NEAR(
        knn_scores(queries.features, references, classes, options), matrix(one["scores"]), 2e-5);
    const auto accuracy = knn_accuracy(queries, references, classes, options);
    EXPECT_NEAR(accuracy.top1, one["top1"].get<double>() / 12, 1e-12);
    EXPECT_NEAR(accuracy.top5, one["top5"].get<double>() / 12, 1e-12);
  }
}

TEST(Knn, AnswersEachOfQueriesThatGoInSeveralParts) {
  torch::manual_seed(0);
  const auto right = [](const torch::Tensor& points) {
    return points.select(/*dim=*/1, 0).gt(0).to(torch::kLong);
  };
  const auto points = torch::randn({1 << 21, 2});  // their similarities fill a part with 8 queries
  const auto queries = torch::randn({9, 2});
  const auto scores = knn_scores(queries, {points, right(points)}, 2);
  EXPECT_TENSOR_NEAR(scores, at::one_hot(right(queries), 2), 1e-6);
}

TEST(Knn, CountsNoClassWithoutANeighbour) {
  // One neighbour, of class 0: class 1 would come second by its index alone.
  const LabelledFeatures queries{
      torch::tensor({1.0F, 0.0F, 1.0F, 0.0F}).view({2, 2}), torch::tensor({0, 1}, torch::kLong)};
  const auto accuracy = knn_accuracy(queries, cross(), 3, KnnOptions().k(1));
  EXPECT_EQ(accuracy.top1, 0.5);
  EXPECT_EQ(accuracy.top5, 0.5);
}

TEST(Knn, TakesAnyTemperatureAndFewerReferencesThanNeighbours) {
  const auto query = torch::tensor({1.0F, 0.1F}).view({1, 2});
  const auto cold = knn_scores(query, cross(), 3, KnnOptions().k(100).temperature(1e-6));
  EXPECT_TENSOR_NEAR(cold, torch::tensor({1.0, 0.0, 0.0}).view({1, 3}), 1e-6);
  const auto hot = knn_scores(query, cross(), 3, KnnOptions().k(100).temperature(1e6));
  EXPECT_TENSOR_NEAR(hot, torch::tensor({0.5, 0.25, 0.25}).view({1, 3}), 1e-5);
  const auto nothing = knn_scores(torch::zeros({1, 2}), cross(), 3);
  EXPECT_TENSOR_NEAR(nothing, torch::tensor({0.5, 0.25, 0.25}).view({1, 3}), 1e-6);
}

TEST(Knn, RefusesWhatDoesNotFit) {
  const auto query = torch::ones({1, 2});
  EXPECT_VALUE_ERROR(knn_scores(torch::ones({1, 3}), cross(), 3), "float32 [B, 2]");
  EXPECT_VALUE_ERROR(knn_scores(query, cross(), 2), "between 0 and 1");
  EXPECT_VALUE_ERROR(knn_scores(query, cross(), 3, KnnOptions().k(0)), "at least 1");
  EXPECT_VALUE_ERROR(knn_scores(query, cross(), 3, KnnOptions().temperature(0)), "above 0");
  const LabelledFeatures none{torch::ones({0, 2}), torch::empty({0}, torch::kLong)};
  EXPECT_VALUE_ERROR(knn_scores(query, none, 3), "N at least 1");
  EXPECT_VALUE_ERROR(knn_accuracy(none, cross(), 3), "N at least 1");
}

}  // namespace
}  // namespace vitrine
