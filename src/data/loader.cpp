#include "vitrine/data/loader.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "single_thread.h"

namespace vitrine::detail {
namespace {

/// A tensor for `count` tensors like `one`.
torch::Tensor make_room(const torch::Tensor& one, std::size_t count, bool pinned) {
  auto sizes = one.sizes().vec();
  sizes.insert(sizes.begin(), static_cast<int64_t>(count));
  return at::empty(sizes, one.options().pinned_memory(pinned));
}

void put(const torch::Tensor& batch, std::size_t place, const torch::Tensor& one) {
  auto slot = batch.select(0, static_cast<int64_t>(place));
  TORCH_CHECK_VALUE(
      slot.sizes() == one.sizes() && slot.scalar_type() == one.scalar_type(),
      "examples of a batch have to be alike, but got ",
      one.scalar_type(),
      " ",
      one.sizes(),
      " after ",
      slot.scalar_type(),
      " ",
      slot.sizes());
  slot.copy_(one);
}

}  // namespace

void enter_worker() {
  thread_local const bool entered = (use_single_thread(), true);
  static_cast<void>(entered);
}

class BatchQueue::State {
 public:
  State(const std::function<GetExample()>& make_get, NextIndices next, const LoaderOptions& options)
      : next_indices_(std::move(next)), pinned_(options.pin_memory()) {
    check_options(options);
    const auto workers = options.workers();
    // One to be taken, one to be filled next, and as many as give each worker two examples.
    ahead_ = static_cast<std::size_t>(2 + 2 * workers / options.batch_size());
    if (workers == 0) {
      get_ = make_get();
    }
    try {
      for (int64_t i = 0; i < workers; ++i) {
        threads_.emplace_back([this, get = make_get()] { work(get); });
      }
    } catch (...) {
      stop();
      throw;
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { stop(); }

  std::optional<Example> next() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (threads_.empty()) {
      while (auto task = take()) {
        lock.unlock();
        fill(*task, get_);
        lock.lock();
        finish(*task);
        if (batches_.front()->complete()) {
          break;
        }
      }
    } else {
      done_.wait(
          lock, [this] { return batches_.empty() ? exhausted_ : batches_.front()->complete(); });
    }
    if (batches_.empty()) {
      return std::nullopt;
    }
    const auto batch = std::move(batches_.front());
    batches_.pop_front();
    if (batch->error) {
      exhausted_ = true;
      batches_.clear();
      std::rethrow_exception(batch->error);
    }
    lock.unlock();
    work_.notify_all();
    return std::move(batch->example);
  }

 private:
  void stop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
    }
    work_.notify_all();
    for (auto& thread : threads_) {
      thread.join();
    }
  }

  /// A batch in the making. All but `example`, whose parts belong to who fills them, is guarded by
  /// the queue's mutex.
  struct Batch {
    std::vector<std::size_t> indices;
    Example example;
    std::once_flag room;
    std::size_t given = 0;  // examples that were begun
    std::size_t ended = 0;  // examples that are there or failed
    std::size_t failed = 0;
    std::exception_ptr error;  // that of example `failed`, the first one to fail

    bool complete() const { return ended == given && (error || given == indices.size()); }
  };
  struct Task {
    std::shared_ptr<Batch> batch;
    std::size_t place;
    std::exception_ptr error = nullptr;
  };

  /// The next example to prepare, in the order in which they are needed; nothing when there is none
  /// now.
  std::optional<Task> take() {
    for (const auto& batch : batches_) {
      if (batch->given < batch->indices.size() && !batch->error) {
        return Task{batch, batch->given++};
      }
    }
    if (batches_.size() >= ahead_ || exhausted_) {
      return std::nullopt;
    }
    auto batch = std::make_shared<Batch>();
    try {
      auto indices = next_indices_();
      if (!indices || indices->empty()) {
        exhausted_ = true;
        return std::nullopt;
      }
      batch->indices = std::move(*indices);
    } catch (...) {
      batch->error = std::current_exception();
      exhausted_ = true;
      batches_.push_back(std::move(batch));
      return std::nullopt;
    }
    batches_.push_back(batch);
    return Task{batch, batch->given++};
  }

  void fill(Task& task, const GetExample& get) const {
    auto& batch = *task.batch;
    try {
      const auto one = get(batch.indices[task.place]);
      std::call_once(batch.room, [&] {
        batch.example.data = make_room(one.data, batch.indices.size(), pinned_);
        batch.example.target = make_room(one.target, batch.indices.size(), pinned_);
      });
      put(batch.example.data, task.place, one.data);
      put(batch.example.target, task.place, one.target);
    } catch (...) {
      task.error = std::current_exception();
    }
  }

  void finish(const Task& task) {
    auto& batch = *task.batch;
    ++batch.ended;
    // Whatever comes first in the batch was begun first, so that this is the same for any number of
    // workers.
    if (task.error && (!batch.error || task.place < batch.failed)) {
      batch.error = task.error;
      batch.failed = task.place;
    }
  }

  void work(const GetExample& get) {
    enter_worker();
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopped_) {
      auto task = take();
      if (!task) {
        done_.notify_all();  // perhaps there is no more
        if (exhausted_) {
          return;
        }
        work_.wait(lock);
        continue;
      }
      lock.unlock();
      fill(*task, get);
      lock.lock();
      finish(*task);
      if (task->batch->complete()) {
        done_.notify_all();
      }
    }
  }

  NextIndices next_indices_;
  GetExample get_;  // where there are no workers
  bool pinned_;
  std::size_t ahead_;
  std::mutex mutex_;
  std::condition_variable work_;  // there may be something to begin
  std::condition_variable done_;  // the first batch may be complete, or there are no more
  std::deque<std::shared_ptr<Batch>> batches_;
  bool exhausted_ = false;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

BatchQueue::BatchQueue(
    const std::function<GetExample()>& make_get, NextIndices next, const LoaderOptions& options)
    : state_(std::make_unique<State>(make_get, std::move(next), options)) {}
BatchQueue::BatchQueue(BatchQueue&&) noexcept = default;
BatchQueue& BatchQueue::operator=(BatchQueue&&) noexcept = default;
BatchQueue::~BatchQueue() = default;

std::optional<BatchQueue::Example> BatchQueue::next() {
  return state_->next();
}

}  // namespace vitrine::detail
