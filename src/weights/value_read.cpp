#include "value_read.h"

#include <algorithm>
#include <vector>

#include "checksum.h"
#include "finite_copy.h"

namespace vitrine::detail {
namespace {

/// Bytes read at once: enough to hide the cost of a call, few enough to stay in a cache until they
/// are copied.
constexpr std::uint64_t kReadAtOnce = std::uint64_t{128} << 10;

}  // namespace

ValuesFound read_values(
    const ByteSource& source,
    std::uint64_t begin,
    std::uint64_t size,
    const ValueRead& how,
    void* out) {
  // One for each thread, as allocating costs more than reading what is in memory.
  thread_local std::vector<char> piece(kReadAtOnce);
  ValuesFound found;
  for (std::uint64_t done = 0; done < size; done += kReadAtOnce) {
    const auto count = std::min(kReadAtOnce, size - done);
    source.read_at(begin + done, piece.data(), count);
    if (how.checksum) {
      found.crc = update_crc(found.crc, piece.data(), count);
    }
    normalize_values(how, piece.data(), count);
    found.finite &=
        out == nullptr
            ? all_finite(how.dtype, piece.data(), count)
            : copy_finite(how.dtype, piece.data(), static_cast<char*>(out) + done, count);
  }
  return found;
}

void normalize_values(const ValueRead& how, char* data, std::uint64_t size) {
  const auto number = dtype_bits(how.dtype) / 8;
  if (how.dtype == Dtype::Bool) {
    // Any byte but 0 and 1 in a bool is undefined behaviour.
    std::transform(data, data + size, data, [](char byte) { return static_cast<char>(byte != 0); });
  } else if (how.big_endian && number > 1) {
    const auto step = how.dtype == Dtype::C64 ? number / 2 : number;  // which is two numbers
    for (std::uint64_t i = 0; i < size; i += step) {
      std::reverse(data + i, data + i + step);
    }
  }
}

}  // namespace vitrine::detail
