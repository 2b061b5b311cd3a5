#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "torch_object.h"

namespace vitrine::detail {

/// Reads `count` bytes of a tensor's storage from byte `offset` on into `data`.
using ReadStorage = std::function<void(std::uint64_t offset, void* data, std::size_t count)>;

/// Writes the elements of `tensor` one after another to `out`, whatever their strides. The storage
/// is read from front to back, no byte twice, only between the tensor's first and last elements,
/// and mostly through a few MB of memory; where dimensions overlap, through as much as the part of
/// the storage that they cover.
void read_strided(const TensorRef& tensor, const ReadStorage& read, void* out);

}  // namespace vitrine::detail
