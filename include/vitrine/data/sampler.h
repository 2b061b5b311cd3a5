#pragma once

#include <torch/data/samplers/base.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Places of one epoch with repeated augmentation (Hoffer et al. 2020, "Augment Your Batch",
/// https://arxiv.org/abs/1901.09335), as timm 1.0.31's RepeatAugSampler gives them to process
/// `rank` of `replicas`: of `order`, each index repeated `repeats` times on end, the first ones, as
/// many for all processes together as there are indices, from 256 on in whole multiples of 256.
/// `repeats`, at least 1, may be a fraction.
///
/// The k-th repetition of index i, from 0, is given as i + k * (number of indices), which lets a
/// dataset tell them apart.
VITRINE_API std::vector<std::size_t> repeated_indices(
    const std::vector<std::size_t>& order,
    double repeats,
    std::size_t replicas = 1,
    std::size_t rank = 0);

/// Examples that an epoch of `size` has with `repeats` as `ShuffleSampler` takes them.
VITRINE_API std::size_t examples_per_epoch(std::size_t size, double repeats);

/// Gives every index once, in an order that depends on the seed, the epoch and the number of
/// indices alone; or repeated ones of that order (`repeated_indices`).
class VITRINE_API ShuffleSampler final : public torch::data::samplers::Sampler<> {
 public:
  /// Indices from 0 to `size` - 1; repeated ones where `repeats` is not 0.
  ShuffleSampler(std::size_t size, std::uint64_t seed, int64_t epoch = 0, double repeats = 0);

  /// Starts the order of the epoch again, for `new_size` indices where given.
  void reset(std::optional<std::size_t> new_size = std::nullopt) override;
  /// The next `batch_size` indices, fewer at the end, then nothing.
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size) override;
  /// Leaves out the first `count` indices of the order, also after a `reset`.
  void skip(std::size_t count) { position_ = first_ = count; }
  /// Sets the epoch whose order the next `reset` starts.
  void set_epoch(int64_t epoch) { epoch_ = epoch; }

  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 private:
  std::size_t size_;
  double repeats_;
  std::vector<std::size_t> order_;
  std::size_t position_ = 0;
  std::size_t first_ = 0;
  std::uint64_t seed_;
  int64_t epoch_;
};

}  // namespace vitrine
