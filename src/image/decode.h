#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>

namespace vitrine::detail {

/// An image, and what its file says of it.
struct DecodedImage {
  torch::Tensor pixels;   // uint8 [H, W, 3] RGB, upright
  const char* format;     // "JPEG", "PNG", "WebP", "BMP" or "TIFF"
  std::int64_t channels;  // that the file holds; three where a palette gives the colours
};

/// What `decode_image` does, which throws as this does.
DecodedImage decode(const std::uint8_t* data, std::size_t size, std::uint64_t max_pixels);

}  // namespace vitrine::detail
