#pragma once

#include <cstddef>
#include <cstdint>

#include "byte_source.h"

namespace vitrine::detail {

/// CRC-32 (ISO 3309, as in zip archives) of `size` bytes that follow those of which `crc` is one; 0
/// begins.
std::uint32_t update_crc(std::uint32_t crc, const void* data, std::size_t size);

/// CRC-32 of bytes [begin, begin + size) of `source`, read piece by piece.
std::uint32_t crc_of(const ByteSource& source, std::uint64_t begin, std::uint64_t size);

}  // namespace vitrine::detail
