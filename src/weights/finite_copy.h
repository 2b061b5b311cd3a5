#pragma once

#include <cstddef>

#include "dtype.h"

namespace vitrine::detail {

/// Copies `size` bytes, whole numbers of the type `dtype`, and gives whether all of them are
/// finite; so is every number of a type that has neither NaN nor infinity, and of one of 8 bits.
/// Written by hand because a model's values are then read once: a pass over them takes as long as
/// the copy.
bool copy_finite(Dtype dtype, const void* from, void* to, std::size_t size);

/// Whether `size` bytes of numbers of the type `dtype` are all finite.
bool all_finite(Dtype dtype, const void* data, std::size_t size);

}  // namespace vitrine::detail
