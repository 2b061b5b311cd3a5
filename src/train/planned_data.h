#pragma once

#include <torch/data/example.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "vitrine/data/image_dataset.h"
#include "vitrine/train/epoch_plan.h"

namespace vitrine::detail {

/// The images of an epoch in their order, and the batches that they are taken in; shared by all
/// workers.
struct PlannedOrder {
  std::vector<std::size_t> order;  // indices of the dataset
  std::vector<PlannedBatch> batches;
};

/// The images of an epoch by their places in its order, each at the size of its batch.
class PlannedDataset {
 public:
  PlannedDataset(ImageDataset data, std::shared_ptr<const PlannedOrder> plan)
      : data_(std::move(data)), plan_(std::move(plan)) {}

  torch::data::Example<> get(std::size_t place) {
    const auto after = std::upper_bound(
        plan_->batches.begin(),
        plan_->batches.end(),
        place,
        [](std::size_t value, const PlannedBatch& batch) { return value < batch.first; });
    return data_.get(plan_->order.at(place), std::prev(after)->scale);
  }

 private:
  ImageDataset data_;
  std::shared_ptr<const PlannedOrder> plan_;
};

/// Gives the places of one batch after the other, from batch `next` on.
class PlannedSampler {
 public:
  PlannedSampler(std::shared_ptr<const PlannedOrder> plan, std::size_t next)
      : plan_(std::move(plan)), next_(next) {}

  std::optional<std::vector<std::size_t>> next(std::size_t /*batch_size*/) {
    if (next_ == plan_->batches.size()) {
      return std::nullopt;
    }
    const auto& batch = plan_->batches[next_++];
    std::vector<std::size_t> places(batch.count);
    std::iota(places.begin(), places.end(), batch.first);
    return places;
  }

 private:
  std::shared_ptr<const PlannedOrder> plan_;
  std::size_t next_;
};

}  // namespace vitrine::detail
