#pragma once

#include <cstdint>

#include "vitrine/image/preprocess.h"

namespace vitrine::detail {

/// A stretch of rows or columns.
struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const { return end - begin; }
};

/// An image in memory, or a part of one, uint8 RGB, three bytes a pixel, rows `stride` bytes apart.
struct Picture {
  const std::uint8_t* pixels = nullptr;
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t stride = 0;
};

/// Writes the rows and columns `rows` and `columns` of `picture` scaled to `height` x `width` to
/// `out`, where rows lie `stride` bytes apart. What lies outside of the stretches is not computed.
///
/// The result is Pillow's to the bit: coefficients in double precision, rounded to 22 binary
/// places; sums in integers, first along the rows, then along the columns, rounded to 8 bits in
/// between; the other way round where a picture more than a hundred times as high as wide shrinks.
///
/// Source: Pillow 12, `Image.resize`; for bicubic Keys (1981) with a = -0.5.
void resample(
    const Picture& picture,
    std::int64_t height,
    std::int64_t width,
    Interpolation interpolation,
    Span rows,
    Span columns,
    std::uint8_t* out,
    std::int64_t stride);

}  // namespace vitrine::detail
