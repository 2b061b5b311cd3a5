#include "vitrine/data/sampler.h"

#include <torch/serialize/archive.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "vitrine/data/random.h"

namespace vitrine {
namespace {

// An epoch of this many indices or more is cut to a multiple of it.
constexpr std::size_t kRound = 256;

std::size_t selected(std::size_t size, std::size_t repeated, std::size_t replicas) {
  const auto all = size < kRound ? size + replicas - 1 : size / kRound * kRound;
  return std::min(all / replicas, (repeated + replicas - 1) / replicas);
}

std::size_t repeated_size(std::size_t size, double repeats) {
  return static_cast<std::size_t>(std::ceil(repeats * static_cast<double>(size)));
}

/// How often `repeats` goes into `place` as a whole, exactly.
double whole_quotient(double place, double repeats) {
  return std::round((place - std::fmod(place, repeats)) / repeats);
}

}  // namespace

std::vector<std::size_t> repeated_indices(
    const std::vector<std::size_t>& order, double repeats, std::size_t replicas, std::size_t rank) {
  TORCH_CHECK_VALUE(
      repeats >= 1 && repeats <= 1000,
      "aug_repeats has to be between 1 and 1000, but got ",
      repeats);
  TORCH_CHECK_VALUE(
      rank < replicas, "rank has to be below the ", replicas, " replicas, but got ", rank);
  const auto repeated = repeated_size(order.size(), repeats);
  std::vector<std::size_t> result(order.empty() ? 0 : selected(order.size(), repeated, replicas));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto place = static_cast<double>((rank + i * replicas) % repeated);
    const double which = whole_quotient(place, repeats);
    const double repetition = place - std::ceil(which * repeats);
    result[i] = order[static_cast<std::size_t>(which)] +
                static_cast<std::size_t>(std::max(0.0, repetition)) * order.size();
  }
  return result;
}

std::size_t examples_per_epoch(std::size_t size, double repeats) {
  return repeats == 0 ? size : selected(size, repeated_size(size, repeats), /*replicas=*/1);
}

ShuffleSampler::ShuffleSampler(std::size_t size, std::uint64_t seed, int64_t epoch, double repeats)
    : size_(size), repeats_(repeats), seed_(seed), epoch_(epoch) {
  reset();
}

void ShuffleSampler::reset(std::optional<std::size_t> new_size) {
  size_ = new_size.value_or(size_);
  order_.resize(size_);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  position_ = first_;
  auto generator = make_generator(mix_seed(seed_, static_cast<std::uint64_t>(epoch_)));
  // Written out, since std::shuffle differs between standard libraries.
  for (std::size_t left = order_.size(); left > 1; --left) {
    const auto chosen = static_cast<std::size_t>(draw_index(generator, static_cast<int64_t>(left)));
    std::swap(order_[left - 1], order_[chosen]);
  }
  if (repeats_ != 0) {
    order_ = repeated_indices(order_, repeats_);
  }
}

std::optional<std::vector<std::size_t>> ShuffleSampler::next(std::size_t batch_size) {
  const auto count = std::min(batch_size, order_.size() - std::min(position_, order_.size()));
  if (count == 0) {
    return std::nullopt;
  }
  const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(position_);
  position_ += count;
  return std::vector<std::size_t>(begin, begin + static_cast<std::ptrdiff_t>(count));
}

void ShuffleSampler::save(torch::serialize::OutputArchive& archive) const {
  const std::vector<int64_t> values = {
      static_cast<int64_t>(size_),
      static_cast<int64_t>(position_),
      static_cast<int64_t>(seed_),
      epoch_};
  archive.write("shuffle", torch::tensor(values, torch::kInt64), /*is_buffer=*/true);
}

void ShuffleSampler::load(torch::serialize::InputArchive& archive) {
  torch::Tensor values;
  archive.read("shuffle", values, /*is_buffer=*/true);
  TORCH_CHECK_VALUE(
      values.numel() == 4 && values.scalar_type() == torch::kInt64,
      "state of a ShuffleSampler has to be four integers, but got ",
      values.sizes());
  const auto* const state = values.const_data_ptr<int64_t>();
  TORCH_CHECK_VALUE(
      state[0] >= 0 && state[1] >= 0 &&
          static_cast<std::size_t>(state[1]) <=
              examples_per_epoch(static_cast<std::size_t>(state[0]), repeats_),
      "position of a ShuffleSampler has to be between 0 and its size, but got ",
      state[1],
      " of ",
      state[0]);
  seed_ = static_cast<std::uint64_t>(state[2]);
  epoch_ = state[3];
  reset(static_cast<std::size_t>(state[0]));
  position_ = static_cast<std::size_t>(state[1]);
}

}  // namespace vitrine
