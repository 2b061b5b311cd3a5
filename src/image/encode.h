#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace vitrine::detail {

/// The bytes of a PNG file of `image`, uint8 [H, W, 3] RGB. Throws c10::ValueError on another dtype
/// or shape, and on an empty image.
std::vector<std::uint8_t> encode_png(const torch::Tensor& image);

/// The same as a JPEG file; `quality` from 1 to 100.
std::vector<std::uint8_t> encode_jpeg(const torch::Tensor& image, int quality);

}  // namespace vitrine::detail
