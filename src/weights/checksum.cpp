#include "checksum.h"

#include <algorithm>
#include <libdeflate.h>
#include <vector>

namespace vitrine::detail {
namespace {

constexpr std::uint64_t kSummedAtOnce = std::uint64_t{1} << 16;

}  // namespace

std::uint32_t update_crc(std::uint32_t crc, const void* data, std::size_t size) {
  return ::libdeflate_crc32(crc, data, size);
}

std::uint32_t crc_of(const ByteSource& source, std::uint64_t begin, std::uint64_t size) {
  std::vector<char> piece(std::min(size, kSummedAtOnce));
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < size; done += kSummedAtOnce) {
    const auto count = std::min(size - done, kSummedAtOnce);
    source.read_at(begin + done, piece.data(), count);
    crc = update_crc(crc, piece.data(), count);
  }
  return crc;
}

}  // namespace vitrine::detail
