#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine {

/// The picture, RGB bytes [H, W, 3], that tests/golden/make_preprocess_golden.py draws from the
/// same seed: noise mixed with gradients in proportion to the seed.
inline std::vector<std::uint8_t> draw_picture(int64_t height, int64_t width, std::uint32_t seed) {
  std::vector<std::uint8_t> values;
  values.reserve(static_cast<std::size_t>(height * width * 3));
  const std::uint32_t amount = seed % 5;
  std::uint32_t state = seed;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        state = state * 1664525U + 1013904223U;
        const auto gradient = static_cast<std::uint32_t>((x * (3 + c) + y * (5 - c)) % 256);
        values.push_back(
            static_cast<std::uint8_t>(((state >> 24) * amount + gradient * (4 - amount)) / 4));
      }
    }
  }
  return values;
}

/// FNV-1a of `count` bytes, 64 bits.
inline std::uint64_t picture_hash(const std::uint8_t* values, std::size_t count) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (std::size_t i = 0; i < count; ++i) {
    hash = (hash ^ values[i]) * 0x100000001b3U;
  }
  return hash;
}

}  // namespace vitrine
