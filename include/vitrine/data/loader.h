#pragma once

#include <c10/util/ArrayRef.h>
#include <torch/arg.h>
#include <torch/data/dataloader.h>
#include <torch/data/datasets/base.h>
#include <torch/data/iterator.h>
#include <torch/data/transforms/stack.h>
#include <torch/data/worker_exception.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "vitrine/export.h"

namespace vitrine {

/// How examples become batches.
struct LoaderOptions {
  /// Examples in a batch, at least 1.
  TORCH_ARG(int64_t, batch_size) = 32;
  /// Threads that prepare batches ahead; 0 prepares them in the calling thread.
  TORCH_ARG(int64_t, workers) = 2;
  /// Leave out a last batch that is not full.
  TORCH_ARG(bool, drop_last) = false;
};

/// Throws c10::ValueError when an option is out of range.
inline void check_options(const LoaderOptions& options) {
  TORCH_CHECK_VALUE(
      options.batch_size() >= 1, "batch_size has to be at least 1, but got ", options.batch_size());
  TORCH_CHECK_VALUE(
      options.workers() >= 0 && options.workers() <= 256,
      "workers has to be between 0 and 256, but got ",
      options.workers());
}

namespace detail {

/// Keeps LibTorch's operations on the calling thread alone, when a worker calls it: several workers
/// would otherwise start a team of threads each.
VITRINE_API void enter_worker();

/// The batches of a dataset, stacked.
template <typename Dataset>
class StackedDataset final
    : public torch::data::datasets::BatchDataset<StackedDataset<Dataset>, torch::data::Example<>> {
 public:
  StackedDataset(Dataset dataset, bool by_workers)
      : dataset_(std::move(dataset)), by_workers_(by_workers) {}

  torch::data::Example<> get_batch(c10::ArrayRef<std::size_t> indices) override {
    if (by_workers_) {
      enter_worker();
    }
    return stack_.apply_batch(dataset_.get_batch(indices));
  }
  std::optional<std::size_t> size() const override { return dataset_.size(); }

 private:
  Dataset dataset_;
  torch::data::transforms::Stack<> stack_;
  bool by_workers_;
};

}  // namespace detail

/// One pass over a dataset of torch::data::Example<>, in batches stacked along a new first
/// dimension.
///
/// It is LibTorch's DataLoader with what training needs: batches come in the sampler's order
/// whatever the number of workers, an exception of a worker reaches the caller as it was thrown,
/// and the time spent waiting is known.
template <typename Dataset, typename Sampler>
class BatchLoader {
  using Stacked = detail::StackedDataset<Dataset>;
  using Loader = torch::data::StatelessDataLoader<Stacked, Sampler>;

 public:
  using Batch = torch::data::Example<>;

  BatchLoader(Dataset dataset, Sampler sampler, const LoaderOptions& options)
      : loader_(make(std::move(dataset), std::move(sampler), options)) {}

  /// The next batch, or nothing after the last one.
  std::optional<Batch> next() {
    const auto start = std::chrono::steady_clock::now();
    auto batch = fetch();
    waited_ += std::chrono::steady_clock::now() - start;
    return batch;
  }

  /// Time that `next` has taken so far.
  std::chrono::duration<double> waited() const { return waited_; }

 private:
  static std::unique_ptr<Loader> make(
      Dataset dataset, Sampler sampler, const LoaderOptions& options) {
    check_options(options);
    return std::make_unique<Loader>(
        Stacked(std::move(dataset), options.workers() > 0),
        std::move(sampler),
        torch::data::DataLoaderOptions()
            .batch_size(static_cast<std::size_t>(options.batch_size()))
            .workers(static_cast<std::size_t>(options.workers()))
            .enforce_ordering(true)
            .drop_last(options.drop_last()));
  }

  std::optional<Batch> fetch() {
    try {
      if (!position_) {
        position_.emplace(loader_->begin());
      } else if (*position_ != loader_->end()) {
        ++*position_;
      }
      if (*position_ == loader_->end()) {
        return std::nullopt;
      }
      return std::move(**position_);
    } catch (const torch::data::WorkerException& error) {
      std::rethrow_exception(error.original_exception);
    }
  }

  std::unique_ptr<Loader> loader_;
  std::optional<torch::data::Iterator<Batch>> position_;
  std::chrono::duration<double> waited_{0};
};

}  // namespace vitrine
