#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dtype.h"
#include "pickle_graph.h"
#include "torch_storage.h"

namespace vitrine::detail {

/// A tensor of a PyTorch file: a view of a storage, within its bounds.
struct TensorRef {
  std::size_t storage = 0;  // its number in the StorageTable
  Dtype dtype = Dtype::U8;
  std::uint64_t offset = 0;  // from the storage's start, in elements of `dtype`
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> stride;  // elements, one for each dimension, none negative

  std::uint64_t numel() const;
  /// Bytes of all its elements.
  std::uint64_t size() const { return numel() * dtype_bits(dtype) / 8; }
  /// Elements from its first to its last, both included, as they lie in the storage.
  std::uint64_t span() const;
  /// Whether its elements lie one after another, the last dimension's first.
  bool is_contiguous() const;
};

/// A tensor, or else why vitrine does not read it, as the end of a sentence: "is quantised".
using TensorOrProblem = std::variant<TensorRef, std::string>;

/// Most bytes of a tensor that repeats elements of a smaller storage: it takes no more than a few
/// bytes of a file to ask for any number.
constexpr std::uint64_t kMaxExpanded = std::uint64_t{64} << 20;

/// Whether `id` stands for a tensor, readable or not.
bool is_tensor(const PickleGraph& graph, PickleId id);

/// The tensor that `id` stands for, where `is_tensor` holds. Understood are the calls that
/// torch.save writes for tensors and parameters, torch._utils._rebuild_tensor and the like. Throws
/// CheckpointError, beginning with `subject` and naming `name`, when their arguments are unsound: a
/// tensor outside its storage, a negative size, a number that overflows.
TensorOrProblem read_tensor(
    const PickleGraph& graph,
    const StorageTable& storages,
    PickleId id,
    const std::string& subject,
    const std::string& name);

}  // namespace vitrine::detail
