#pragma once

#include <cstdint>
#include <vector>

#include "image/bytes.h"

namespace vitrine::detail {

/// Compressions of TIFF, by their numbers in the file.
enum class TiffCompression : std::uint32_t {
  None = 1,
  Lzw = 5,
  Deflate = 8,
  PackBits = 32773,
  OldDeflate = 32946,
};

/// The first `size` bytes of what `data` holds compressed. Throws ImageError when it is damaged or
/// holds less, at once where `data` is too short for any content to become so much. Memory grows
/// with what is really there, not with `size`.
std::vector<std::uint8_t> decompress_tiff(
    const Bytes& data, TiffCompression compression, std::uint64_t size);

/// Throws what `decompress_tiff` would, in a small and fixed amount of memory.
void check_tiff(const Bytes& data, TiffCompression compression, std::uint64_t size);

/// Throws where `size` bytes of compressed data cannot become `content` bytes.
void check_expansion(std::uint64_t size, TiffCompression compression, std::uint64_t content);

}  // namespace vitrine::detail
