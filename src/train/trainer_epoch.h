#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "vitrine/data/image_dataset.h"
#include "vitrine/train/epoch_progress.h"
#include "vitrine/train/trainer.h"

#include "planned_data.h"

namespace vitrine {

namespace detail {

/// How fast an epoch goes, from the moment that this is made.
class Pace {
 public:
  explicit Pace(const EpochProgress& before) : before_(before), start_(Clock::now()) {}

  /// Spent on the epoch, what went before included.
  double total_seconds() const { return before_.seconds + seconds(); }
  double images_per_second(const EpochProgress& now) const {
    return static_cast<double>(now.images - before_.images) / seconds();
  }
  /// Share of the time that went into waiting; 0 before the first image.
  double share_waited(const EpochProgress& now, std::chrono::duration<double> waited) const {
    return now.images == before_.images ? 0 : waited.count() / seconds();
  }

 private:
  using Clock = std::chrono::steady_clock;

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  EpochProgress before_;
  Clock::time_point start_;
};

}  // namespace detail

/// An epoch that is being trained.
struct Trainer::Epoch {
  int64_t number = 0;
  ImageDataset data;
  std::shared_ptr<const detail::PlannedOrder> plan;
  EpochProgress progress;
  int64_t base_updates = 0;  // that it would have at the size of the data

  int64_t updates() const { return plan->batches.back().update + 1; }
  int64_t images() const {
    return static_cast<int64_t>(plan->batches.back().first + plan->batches.back().count);
  }
  /// Place of the first batch that is not done.
  std::size_t begin() const;
  /// Where the schedule stands at an update of the epoch.
  int64_t scheduled(int64_t update) const {
    return (number - 1) * base_updates + update * base_updates / updates();
  }
  /// Adds the places in the dataset of the images of a batch.
  void append_places(const PlannedBatch& batch, std::vector<std::size_t>& places) const;

  /// Throws Error where what was measured before update `step` on the images at `places` is not
  /// finite and a lower scale of the gradients is no remedy.
  void check(const Measured& found, int64_t step, const std::vector<std::size_t>& places) const;
  /// Counts an update on so many images, after `seconds` of the epoch; the images only where they
  /// have a loss, so that the mean of the others stays a number.
  void count(const Measured& found, std::size_t images_of_update, double seconds);
  /// Of the update counted last.
  StepReport report(
      const Measured& found,
      double lr,
      const detail::Pace& pace,
      std::chrono::duration<double> waited) const;
};

}  // namespace vitrine
