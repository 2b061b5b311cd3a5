#pragma once

#include <cstdint>

#include "byte_source.h"
#include "dtype.h"

namespace vitrine::detail {

/// How numbers lie in a file and what is to be found out about them.
struct ValueRead {
  Dtype dtype = Dtype::U8;
  /// Whether each number has its highest byte first.
  bool big_endian = false;
  /// Whether the bytes' CRC-32 is worked out.
  bool checksum = false;
};

/// What `read_values` found.
struct ValuesFound {
  bool finite = true;     // whether no number is NaN or infinite
  std::uint32_t crc = 0;  // of the bytes in the file, where it was asked for
};

/// Reads `size` bytes, whole numbers, from byte `begin` of `source` on to `out`, as numbers of this
/// machine, booleans as 0 and 1; only looks at them where `out` is null. Throws FileError.
ValuesFound read_values(
    const ByteSource& source,
    std::uint64_t begin,
    std::uint64_t size,
    const ValueRead& how,
    void* out);

/// Makes numbers as they lie in a file into numbers of this machine.
void normalize_values(const ValueRead& how, char* data, std::uint64_t size);

}  // namespace vitrine::detail
