#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/bytes.h"

namespace vitrine::detail {

/// The kinds of image file there are, told apart by their first bytes.
enum class ImageKind { Jpeg, Png, WebP, Bmp, Tiff };

/// An image file whose structure is sound, as far as it can be told before decoding.
struct Container {
  ImageKind kind = ImageKind::Jpeg;
  std::int64_t width = 0;     // pixels, as stored
  std::int64_t height = 0;    // pixels, as stored
  int orientation = 1;        // EXIF orientation, 1 to 8, still to be applied
  std::int64_t channels = 3;  // as stored; three where a palette gives the colours

  /// PNG and WebP: the same picture again with nothing but what its codec needs: no metadata,
  /// no stray bytes, no transparency of palettes. Codecs warn on standard error about the rest.
  std::vector<std::uint8_t> stream;

  /// BMP and TIFF: the picture itself, RGB, three bytes a pixel, row after row. Checking every byte
  /// of these formats is most of decoding them.
  std::vector<std::uint8_t> pixels;
};

/// Checks the image file in `data`, whatever its name, from its first byte to its last; a JPEG only
/// up to its picture, which `read_jpeg` checks. Throws ImageError, without a path, when it is no
/// image, damaged, cut short, animated, of a variety that is not supported, or has no pixel or more
/// than `max_pixels`.
///
/// A size that the data cannot fill is refused at once. Only by decompressing it shows whether the
/// rest of the data is sound, which takes time in proportion to what it becomes (about a second a
/// gigabyte), at most some 1040 times `size`. It takes memory of the order of `size`; the three
/// bytes a pixel that a BMP or a TIFF becomes are taken only once its data is known to be whole, or
/// where they are of the order of `size`.
Container open_container(const std::uint8_t* data, std::size_t size, std::uint64_t max_pixels);

/// The sides that no codec refuses by itself.
constexpr std::uint64_t kMaxSide = 1'000'000;

/// Stores the size of the picture, unless it has no pixel or too many.
void set_size(
    Container& container,
    const char* format,
    std::uint64_t width,
    std::uint64_t height,
    std::uint64_t max_pixels);

// One for each format. `bytes` is the whole file, whose kind is known.
Container read_jpeg_header(Bytes bytes, std::uint64_t max_pixels);
Container check_png(Bytes bytes, std::uint64_t max_pixels);
Container check_webp(Bytes bytes, std::uint64_t max_pixels);
Container read_bmp(Bytes bytes, std::uint64_t max_pixels);
Container read_tiff(Bytes bytes, std::uint64_t max_pixels);

/// Decodes a JPEG whose header `read_jpeg_header` accepted to `pixels`, [height, width, 3] RGB as
/// stored. Throws ImageError where it is damaged or cut short; `pixels` may be written to then.
void read_jpeg(Bytes bytes, std::uint8_t* pixels);

}  // namespace vitrine::detail
