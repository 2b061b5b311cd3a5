#include "vitrine/data/sampler.h"

#include <torch/serialize/archive.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "vitrine/data/random.h"

namespace vitrine {

ShuffleSampler::ShuffleSampler(std::size_t size, std::uint64_t seed, int64_t epoch)
    : seed_(seed), epoch_(epoch) {
  reset(size);
}

void ShuffleSampler::reset(std::optional<std::size_t> new_size) {
  order_.resize(new_size.value_or(order_.size()));
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  position_ = first_;
  auto generator = make_generator(mix_seed(seed_, static_cast<std::uint64_t>(epoch_)));
  // Written out, since std::shuffle differs between standard libraries.
  for (std::size_t left = order_.size(); left > 1; --left) {
    const auto chosen = static_cast<std::size_t>(draw_index(generator, static_cast<int64_t>(left)));
    std::swap(order_[left - 1], order_[chosen]);
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
      static_cast<int64_t>(order_.size()),
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
      state[0] >= 0 && state[1] >= 0 && state[1] <= state[0],
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
