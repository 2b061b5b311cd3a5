#pragma once

#include <torch/types.h>

#include <cstddef>

namespace vitrine::detail {

/// Whether `count` values of the floating-point type `type`, at `data` (aligned for it), are all
/// finite.
bool all_finite(const void* data, std::size_t count, torch::ScalarType type);

/// Whether all values of `tensor`, of a floating-point type, are finite.
bool all_finite(const torch::Tensor& tensor);

}  // namespace vitrine::detail
