#include "vitrine/train/epoch_plan.h"

#include <algorithm>
#include <set>

#include "vitrine/data/random.h"

namespace vitrine {
namespace {

constexpr int64_t kMostSide = 8192;

}  // namespace

void check_options(const MultiScaleOptions& options) {
  for (const auto side : options.sides()) {
    TORCH_CHECK_VALUE(
        side >= 1 && side <= kMostSide,
        "sides of multi_scale have to be between 1 and ",
        kMostSide,
        ", but got ",
        side);
  }
  const std::set<int64_t> different(options.sides().begin(), options.sides().end());
  TORCH_CHECK_VALUE(
      different.size() == options.sides().size(),
      "sides of multi_scale have to differ, but got ",
      options.sides());
  TORCH_CHECK_VALUE(
      options.base_pixels() >= 1,
      "base_pixels has to be at least 1, but got ",
      options.base_pixels());
}

int64_t scaled_batch_size(int64_t batch_size, int64_t side, const MultiScaleOptions& options) {
  // As float64, which neither overflows nor, below 2^53 pixels, rounds.
  const double pixels =
      static_cast<double>(batch_size) * static_cast<double>(options.base_pixels());
  return std::max<int64_t>(static_cast<int64_t>(pixels / static_cast<double>(side * side)), 1);
}

std::vector<PlannedBatch> plan_epoch(const EpochPlanOptions& options) {
  TORCH_CHECK_VALUE(
      options.images() >= 1 && options.batch_size() >= 1 && options.grad_accum_steps() >= 1,
      "images, batch_size and grad_accum_steps have to be at least 1, but got ",
      options.images(),
      ", ",
      options.batch_size(),
      " and ",
      options.grad_accum_steps());
  check_options(options.multi_scale());
  const auto base = static_cast<std::size_t>(options.batch_size());
  const auto& sides = options.multi_scale().sides();
  const auto draws = mix_seed(options.seed(), static_cast<std::uint64_t>(options.epoch()), /*b=*/4);
  auto left = options.images() < base ? options.images() : options.images() / base * base;
  std::vector<PlannedBatch> plan;
  std::size_t first = 0;
  for (int64_t update = 0; left > 0; ++update) {
    std::size_t scale = 0;
    auto size = base;
    if (!sides.empty()) {
      scale = mix_seed(draws, static_cast<std::uint64_t>(update)) % sides.size();
      size = static_cast<std::size_t>(
          scaled_batch_size(options.batch_size(), sides[scale], options.multi_scale()));
    }
    const auto begin = plan.size();
    for (int64_t part = 0; part < options.grad_accum_steps() && left > 0; ++part) {
      const auto count = left > size && left - size < size ? (left + 1) / 2 : std::min(left, size);
      plan.push_back({first, count, scale, update, part, 0});
      first += count;
      left -= count;
    }
    const auto parts = static_cast<int64_t>(plan.size() - begin);
    for (auto i = begin; i < plan.size(); ++i) {
      plan[i].parts = parts;
    }
  }
  return plan;
}

}  // namespace vitrine
