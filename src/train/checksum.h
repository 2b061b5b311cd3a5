#pragma once

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace vitrine::detail {

/// FNV-1a over 64-bit words: it finds bits that rotted on a disk and files that were exchanged, not
/// an attacker's.
class Checksum {
 public:
  void add(const void* data, std::size_t count) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < count; i += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, std::min(sizeof(word), count - i));
      add(word);
    }
  }
  void add(std::uint64_t word) {
    value_ = (value_ ^ word) * 0x100000001B3U;
    value_ ^= value_ >> 32;  // carries high bits down, which the product alone never does
  }
  std::string text() const {
    char buffer[17];
    std::snprintf(buffer, sizeof(buffer), "%016" PRIx64, value_);
    return buffer;
  }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325U;
};

}  // namespace vitrine::detail
