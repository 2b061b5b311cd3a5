#pragma once

#include <torch/arg.h>
#include <torch/data/example.h>
#include <torch/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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
  /// Put batches into memory from which a GPU copies while the CPU goes on; needs CUDA.
  TORCH_ARG(bool, pin_memory) = false;
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

/// The batches of a `BatchLoader`, whatever its dataset and its sampler.
class VITRINE_API BatchQueue {
 public:
  using Example = torch::data::Example<>;
  using GetExample = std::function<Example(std::size_t index)>;
  /// The indices of the next batch, or nothing after the last; called by one thread at a time.
  using NextIndices = std::function<std::optional<std::vector<std::size_t>>()>;

  /// `make_get` is called once for each worker, by the calling thread.
  BatchQueue(
      const std::function<GetExample()>& make_get, NextIndices next, const LoaderOptions& options);
  BatchQueue(BatchQueue&&) noexcept;
  BatchQueue& operator=(BatchQueue&&) noexcept;
  ~BatchQueue();

  std::optional<Example> next();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace detail

/// One pass over a dataset of torch::data::Example<>, in batches: examples along a new first
/// dimension, which all have the shapes of the first one.
///
/// Workers share the examples of a batch among them and write each into its place of the batch, so
/// that the first batch comes soon and at most a few wait. Batches come in the sampler's order and
/// are the same whatever the number of workers; an exception reaches the caller as it was thrown,
/// with the batch that it belongs to, and ends the pass. Leaving early waits for one example of
/// each worker at most.
template <typename Dataset, typename Sampler>
class BatchLoader {
 public:
  using Batch = torch::data::Example<>;

  /// `dataset` is copied for each worker. Throws c10::ValueError on options out of range.
  BatchLoader(Dataset dataset, Sampler sampler, const LoaderOptions& options)
      : queue_(
            [&dataset] {
              return [own = Dataset(dataset)](std::size_t index) mutable { return own.get(index); };
            },
            [own = std::move(sampler), options]() mutable {
              const auto size = static_cast<std::size_t>(options.batch_size());
              auto indices = own.next(size);
              if (indices && options.drop_last() && indices->size() < size) {
                indices.reset();
              }
              return indices;
            },
            options) {}

  /// The next batch, or nothing after the last one.
  std::optional<Batch> next() {
    const auto start = std::chrono::steady_clock::now();
    auto batch = queue_.next();
    waited_ += std::chrono::steady_clock::now() - start;
    return batch;
  }

  /// Time that `next` has taken so far.
  std::chrono::duration<double> waited() const { return waited_; }

 private:
  detail::BatchQueue queue_;
  std::chrono::duration<double> waited_{0};
};

}  // namespace vitrine
