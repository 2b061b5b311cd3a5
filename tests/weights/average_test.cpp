#include "vitrine/weights/average.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <gtest/gtest.h>

#include <string>

#include "vitrine/error.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

/// A batch norm whose parameters and means are `value`, after `count` batches.
torch::nn::BatchNorm1d filled(double value, int64_t count) {
  const torch::NoGradGuard no_grad;
  torch::nn::BatchNorm1d norm(2);
  norm->weight.fill_(value);
  norm->bias.fill_(-value);
  norm->running_mean.fill_(value);
  norm->num_batches_tracked.fill_(count);
  return norm;
}

std::string message_of(WeightAverage& average, const torch::nn::Module& module) {
  try {
    average.add(state_dict(module), "b.safetensors");
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "no error";
}

TEST(WeightAverage, IsTheMeanOfEveryNumberAndLeavesCounts) {
  WeightAverage average;
  average.add(state_dict(*filled(1, 10)), "a");
  average.add(state_dict(*filled(2, 20)), "b");
  average.add(state_dict(*filled(6, 30)), "c");
  EXPECT_EQ(average.count(), 3);
  auto norm = filled(0, 0);
  average.copy_to(*norm);
  EXPECT_TENSOR_NEAR(norm->weight, torch::full({2}, 3.0), 0);
  EXPECT_TENSOR_NEAR(norm->bias, torch::full({2}, -3.0), 0);
  EXPECT_TENSOR_NEAR(norm->running_mean, torch::full({2}, 3.0), 0);
  EXPECT_EQ(norm->num_batches_tracked.item<int64_t>(), 10);
}

TEST(WeightAverage, OfOneModelIsThatModelToTheBit) {
  torch::manual_seed(0);
  const torch::nn::Linear linear(5, 7);
  WeightAverage average;
  average.add(state_dict(*linear), "a");
  torch::nn::Linear other(5, 7);
  average.copy_to(*other);
  EXPECT_TRUE(torch::equal(other->weight, linear->weight));
}

TEST(WeightAverage, DoesNotChangeWhatWasAdded) {
  auto first = filled(1, 1);
  WeightAverage average;
  average.add(state_dict(*first), "a");
  average.add(state_dict(*filled(3, 1)), "b");
  average.copy_to(*filled(0, 0));
  EXPECT_TENSOR_NEAR(first->weight, torch::ones(2), 0);
}

TEST(WeightAverage, NamesHowModelsDiffer) {
  WeightAverage average;
  average.add(state_dict(*torch::nn::Linear(3, 2)), "a.safetensors");
  const std::string start = "b.safetensors: cannot be averaged with a.safetensors: ";
  EXPECT_EQ(
      message_of(average, *torch::nn::Linear(4, 2)),
      start + "weight is Float [2, 4], not Float [2, 3]");
  EXPECT_EQ(
      message_of(average, *torch::nn::Linear(torch::nn::LinearOptions(3, 2).bias(false))),
      start + "bias is missing");
  EXPECT_EQ(message_of(average, *torch::nn::BatchNorm1d(2)).rfind(start, 0), 0U);
  EXPECT_EQ(average.count(), 1);
}

TEST(WeightAverage, RefusesToBeCopiedIntoAnotherModelOrFromNothing) {
  WeightAverage average;
  EXPECT_VALUE_ERROR(average.copy_to(*torch::nn::Linear(3, 2)), "there has to be a model");
  average.add(state_dict(*torch::nn::Linear(3, 2)), "a");
  EXPECT_VALUE_ERROR(average.copy_to(*torch::nn::Linear(3, 3)), "the model is another one: weight");
}

}  // namespace
}  // namespace vitrine
