#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "image/bytes.h"

namespace vitrine::detail {

/// Throws ImageError, "JPEG is damaged: <what>".
[[noreturn]] void throw_damaged_jpeg(const std::string& what);

/// A Huffman table of a JPEG, as sections C and F.2.2.3 of ITU-T T.81 define it.
class HuffmanTable {
 public:
  HuffmanTable() = default;
  /// From the content of a DHT segment after its class byte: 16 counts, then the symbols, which
  /// `counts` announces. Throws ImageError where the counts make no code.
  explicit HuffmanTable(const Bytes& counts_and_symbols);

  bool defined() const { return !symbols_.empty(); }

  static constexpr int kLookBits = 9;
  /// Length in bits << 8 | symbol for each start of a code of at most `kLookBits` bits; else 0.
  std::array<std::uint16_t, 1 << kLookBits> look{};
  /// For each length, the first number, on 16 bits, beyond its codes; 0 below the first codes.
  std::array<std::uint32_t, 17> limit{};
  /// What turns a code of that length into the index of its symbol.
  std::array<std::int32_t, 17> offset{};
  std::uint8_t symbol(std::int32_t index) const {
    return symbols_[static_cast<std::size_t>(index)];
  }

 private:
  std::vector<std::uint8_t> symbols_;
};

/// A colour component of a JPEG and what its scans have told so far.
struct JpegComponent {
  unsigned id = 0;
  unsigned horizontal = 1;  // sampling factors, 1 to 4
  unsigned vertical = 1;
  unsigned quantization = 0;
  std::uint64_t columns = 0;         // blocks that hold pixels
  std::uint64_t rows = 0;            // blocks that hold pixels
  std::uint64_t padded_columns = 0;  // blocks with those that fill the last units
  /// Progressive: the lowest bit known of each of the 64 coefficients, -1 while nothing is.
  std::array<int, 64> known{};
  /// Progressive: which coefficients of each block are not zero, [padded rows, padded columns].
  std::vector<std::uint64_t> nonzero;
  bool seen = false;
};

/// One scan: which components, which coefficients, with which tables.
struct JpegScan {
  struct Part {
    JpegComponent* component = nullptr;
    const HuffmanTable* dc = nullptr;
    const HuffmanTable* ac = nullptr;
  };
  std::vector<Part> parts;
  bool progressive = false;
  unsigned first = 0;  // spectral selection
  unsigned last = 63;
  unsigned high = 0;  // successive approximation
  unsigned low = 0;
  std::uint64_t unit_columns = 0;  // units (MCUs) in a row of an interleaved scan
  std::uint64_t unit_rows = 0;
  std::uint64_t restart_interval = 0;  // units; 0: none

  /// Units in the scan.
  std::uint64_t units() const;
};

/// Decodes the entropy-coded data of `scan`, which begins at the start of `data`, following every
/// code without keeping the picture, and appends to `clean` the same data without stray bytes.
/// Gives the offset of the marker that ends it. Throws ImageError where a code does not exist,
/// where a block overflows and where data is missing or too much.
std::size_t check_scan(const Bytes& data, const JpegScan& scan, std::vector<std::uint8_t>& clean);

}  // namespace vitrine::detail
