#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vitrine::detail {

/// The number in bytes [offset, offset + size) of `bytes`, the lowest byte first; `size` is at most
/// 8.
inline std::uint64_t little_endian(std::string_view bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (auto i = offset + size; i > offset; --i) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[i - 1]);
  }
  return value;
}

}  // namespace vitrine::detail
