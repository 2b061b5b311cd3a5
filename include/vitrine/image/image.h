#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "vitrine/export.h"

namespace vitrine {

/// Most pixels (width times height) an image may have, unless the caller says otherwise; the size
/// at which Pillow refuses an image too.
constexpr std::uint64_t kMaxPixels = 178'956'970;

/// Decodes a JPEG, PNG, WebP, BMP or TIFF file, told apart by content, into uint8 [H, W, 3] RGB,
/// upright by its EXIF orientation.
///
/// Grey is repeated over the channels; palettes are looked up; transparency is dropped, keeping the
/// colour below it; of 16 bits the higher 8 are kept; CMYK and YCCK are taken as Adobe stores them.
/// Of several pages, and of an animated PNG, the first is read. All this as Pillow's
/// `convert("RGB")`, inks to 2/255, except that Pillow leaves the orientation and clips grey of 16
/// bits.
///
/// Throws ImageError, naming the file, when it is damaged, cut short, an animated WebP, of another
/// variety that is not supported (JPEG: arithmetic, lossless, 12 bits; TIFF: JPEG, fax, floating
/// point, BigTIFF), has no pixels or more than `max_pixels`. Of a JPEG, which has no checksums,
/// damage is what libjpeg warns about.
VITRINE_API torch::Tensor read_image(
    const std::string& path, std::uint64_t max_pixels = kMaxPixels);

/// The same for the bytes of an encoded image in memory.
VITRINE_API torch::Tensor decode_image(
    const std::uint8_t* data, std::size_t size, std::uint64_t max_pixels = kMaxPixels);

}  // namespace vitrine
