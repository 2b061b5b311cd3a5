#pragma once

#include <torch/types.h>

#include <string>

#include "vitrine/export.h"

namespace vitrine {

/// Writes a float32 tensor (any shape, device and strides) to `path` as NumPy's file of one array,
/// format 1.0, in C order, atomically and durably. Throws FileError when that fails, leaving the
/// old file as it was; c10::ValueError on another dtype.
///
/// Source: NumPy, "numpy.lib.format", https://numpy.org/doc/stable/reference/generated/
/// numpy.lib.format.html.
VITRINE_API void write_npy(const std::string& path, const torch::Tensor& tensor);

}  // namespace vitrine
