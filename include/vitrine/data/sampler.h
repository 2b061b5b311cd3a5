#pragma once

#include <torch/data/samplers/base.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Gives every index once, in an order that depends on the seed, the epoch and the number of
/// indices alone.
class VITRINE_API ShuffleSampler final : public torch::data::samplers::Sampler<> {
 public:
  /// Indices from 0 to `size` - 1.
  ShuffleSampler(std::size_t size, std::uint64_t seed, int64_t epoch = 0);

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
  std::vector<std::size_t> order_;
  std::size_t position_ = 0;
  std::size_t first_ = 0;
  std::uint64_t seed_;
  int64_t epoch_;
};

}  // namespace vitrine
