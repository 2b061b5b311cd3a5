#include "vitrine/data/loader.h"

#include <torch/data/datasets/base.h>
#include <torch/data/samplers/sequential.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "vitrine/data/random.h"
#include "vitrine/data/sampler.h"
#include "vitrine/error.h"

#include "support/value_error.h"

namespace vitrine {
namespace {

/// Numbers; number `bad` cannot be read.
class Numbers : public torch::data::datasets::Dataset<Numbers> {
 public:
  explicit Numbers(std::size_t size, std::size_t bad = 1000) : size_(size), bad_(bad) {}
  torch::data::Example<> get(std::size_t index) override {
    if (index == bad_) {
      throw ImageError("bad.png: is damaged");
    }
    auto generator = make_generator(mix_seed(1, index));
    // Workers take turns that differ from run to run.
    std::this_thread::sleep_for(std::chrono::microseconds(draw_index(generator, 300)));
    return {
        torch::full({2}, draw_uniform(generator, 0, 1)),
        torch::scalar_tensor(static_cast<int64_t>(index), torch::kInt64)};
  }
  std::optional<std::size_t> size() const override { return size_; }

 private:
  std::size_t size_;
  std::size_t bad_;
};

std::vector<torch::Tensor> load_all(const LoaderOptions& options) {
  BatchLoader loader(Numbers(50), ShuffleSampler(50, 3, 1), options);
  std::vector<torch::Tensor> batches;
  while (auto batch = loader.next()) {
    EXPECT_EQ(batch->data.size(0), batch->target.size(0));
    batches.push_back(batch->data);
    batches.push_back(batch->target);
  }
  EXPECT_FALSE(loader.next().has_value());  // the end stays the end
  return batches;
}

TEST(BatchLoader, GivesTheSameBatchesForAnyNumberOfWorkers) {
  const auto options = LoaderOptions().batch_size(8);
  const auto alone = load_all(LoaderOptions(options).workers(0));
  ASSERT_EQ(alone.size(), 14U);
  EXPECT_EQ(alone.front().sizes(), (std::vector<int64_t>{8, 2}));
  EXPECT_EQ(alone.back().size(0), 2);
  for (const int64_t workers : {1, 4}) {
    const auto batches = load_all(LoaderOptions(options).workers(workers));
    ASSERT_EQ(batches.size(), alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_TRUE(torch::equal(batches[i], alone[i])) << workers << " workers, tensor " << i;
    }
  }
}

TEST(BatchLoader, LeavesOutALastBatchThatIsNotFull) {
  EXPECT_EQ(load_all(LoaderOptions().batch_size(8).drop_last(true)).size(), 12U);
}

TEST(BatchLoader, PassesOnWhatAWorkerThrew) {
  for (const int64_t workers : {0, 2}) {
    BatchLoader loader(
        Numbers(50, /*bad=*/20),
        ShuffleSampler(50, 3),
        LoaderOptions().batch_size(4).workers(workers));
    try {
      while (loader.next()) {
      }
      FAIL() << "a damaged image was loaded";
    } catch (const ImageError& error) {
      EXPECT_STREQ(error.what(), "bad.png: is damaged");
    }
  }
}

TEST(BatchLoader, ThrowsWithTheBatchThatIsToBlame) {
  for (const int64_t workers : {0, 1, 4}) {
    BatchLoader loader(
        Numbers(50, /*bad=*/20),
        torch::data::samplers::SequentialSampler(50),
        LoaderOptions().batch_size(8).workers(workers));
    EXPECT_EQ(loader.next()->target[0].item<int64_t>(), 0);
    EXPECT_EQ(loader.next()->target[0].item<int64_t>(), 8);
    EXPECT_THROW(loader.next(), ImageError);
    EXPECT_FALSE(loader.next().has_value());
  }
}

/// Examples of other shapes.
class Growing : public torch::data::datasets::Dataset<Growing> {
 public:
  torch::data::Example<> get(std::size_t index) override {
    return {
        torch::zeros({static_cast<int64_t>(index / 4) + 1}),
        torch::scalar_tensor(0, torch::kInt64)};
  }
  std::optional<std::size_t> size() const override { return 8; }
};

TEST(BatchLoader, RefusesExamplesOfDifferentShapesInABatch) {
  BatchLoader loader(
      Growing(),
      torch::data::samplers::SequentialSampler(8),
      LoaderOptions().batch_size(8).workers(0));
  EXPECT_VALUE_ERROR(loader.next(), "examples of a batch have to be alike");
}

TEST(BatchLoader, PreparesNoMoreThanAFewBatchesAhead) {
  struct Counting : torch::data::datasets::Dataset<Counting> {
    explicit Counting(std::atomic<int>* begun) : count(begun) {}
    torch::data::Example<> get(std::size_t index) override {
      ++*count;
      return {torch::zeros({1}), torch::scalar_tensor(static_cast<int64_t>(index), torch::kInt64)};
    }
    std::optional<std::size_t> size() const override { return 1000; }
    std::atomic<int>* count;
  };
  std::atomic<int> begun{0};
  BatchLoader loader(
      Counting(&begun),
      torch::data::samplers::SequentialSampler(1000),
      LoaderOptions().batch_size(10).workers(2));
  ASSERT_TRUE(loader.next().has_value());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(begun.load(), 30);
}

TEST(BatchLoader, RefusesOptionsOutOfRange) {
  EXPECT_THROW(load_all(LoaderOptions().batch_size(0)), c10::ValueError);
  EXPECT_THROW(load_all(LoaderOptions().workers(-1)), c10::ValueError);
}

TEST(BatchLoader, CanBeLeftInTheMiddle) {
  BatchLoader loader(Numbers(50), ShuffleSampler(50, 3), LoaderOptions().batch_size(4).workers(3));
  EXPECT_TRUE(loader.next().has_value());
  EXPECT_GT(loader.waited().count(), 0);
}

}  // namespace
}  // namespace vitrine
