#include "finite_copy.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace vitrine::detail {
namespace {

/// Bytes handled at once; a multiple of every number's size.
constexpr std::size_t kBlock = 64;

/// Bits of the numbers in 8 bytes. The exponent of NaN and of infinity is all ones: the exponent
/// alone, plus its lowest bit, then carries into the sign's place, and never further.
struct Bits {
  std::uint64_t exponent = 0;
  std::uint64_t lowest = 0;
  std::uint64_t sign = 0;
};

Bits bits_of_numbers(Dtype dtype) {
  switch (dtype) {
    case Dtype::F16:
      return {0x7C007C007C007C00, 0x0400040004000400, 0x8000800080008000};
    case Dtype::BF16:
      return {0x7F807F807F807F80, 0x0080008000800080, 0x8000800080008000};
    case Dtype::F32:
    case Dtype::C64:
      return {0x7F8000007F800000, 0x0080000000800000, 0x8000000080000000};
    case Dtype::F64:
      return {0x7FF0000000000000, 0x0010000000000000, 0x8000000000000000};
    default:
      return {};
  }
}

/// Looks at numbers block by block, without a branch, so that the compiler uses vector
/// instructions.
class Finder {
 public:
  explicit Finder(Dtype dtype) : bits_(bits_of_numbers(dtype)) {}

  void look_at(const char* block) {
    std::array<std::uint64_t, kBlock / 8> words{};
    std::memcpy(words.data(), block, kBlock);
    for (std::size_t i = 0; i < words.size(); ++i) {
      carried_[i] |= (words[i] & bits_.exponent) + bits_.lowest;
    }
  }

  /// Whether nothing looked at was NaN or infinite.
  bool all_finite() const {
    return std::none_of(
        carried_.begin(), carried_.end(), [&](auto word) { return (word & bits_.sign) != 0; });
  }

 private:
  Bits bits_;
  std::array<std::uint64_t, kBlock / 8> carried_{};
};

#ifdef __SSE2__
bool can_stream(const void* to) {
  return reinterpret_cast<std::uintptr_t>(to) % sizeof(__m128i) == 0;
}

/// Writes past the caches, which halves what goes to and from memory: a line need not be read
/// before it is overwritten.
void stream(const char* from, char* to) {
  for (std::size_t i = 0; i < kBlock; i += sizeof(__m128i)) {
    _mm_stream_si128(
        reinterpret_cast<__m128i*>(to + i),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
}

void end_streaming() {
  _mm_sfence();
}
#else
bool can_stream(const void* /*to*/) {
  return false;
}
void stream(const char* /*from*/, char* /*to*/) {}
void end_streaming() {}
#endif

/// Looks at all numbers, calling `copy(offset)` for each whole block.
template <typename Copy>
bool look_at_all(Dtype dtype, const char* from, std::size_t size, const Copy& copy) {
  Finder finder(dtype);
  const auto whole = size - size % kBlock;
  for (std::size_t i = 0; i < whole; i += kBlock) {
    finder.look_at(from + i);
    copy(i);
  }
  std::array<char, kBlock> rest{};
  std::memcpy(rest.data(), from + whole, size - whole);
  finder.look_at(rest.data());
  return finder.all_finite();
}

}  // namespace

bool copy_finite(Dtype dtype, const void* from, void* to, std::size_t size) {
  if (size == 0) {
    return true;
  }
  const auto* source = static_cast<const char*>(from);
  auto* target = static_cast<char*>(to);
  if (!can_stream(to)) {
    std::memcpy(target, source, size);
    return all_finite(dtype, source, size);
  }
  const bool finite =
      look_at_all(dtype, source, size, [&](std::size_t i) { stream(source + i, target + i); });
  end_streaming();
  const auto rest = size % kBlock;
  std::memcpy(target + size - rest, source + size - rest, rest);
  return finite;
}

bool all_finite(Dtype dtype, const void* data, std::size_t size) {
  return size == 0 ||
         look_at_all(dtype, static_cast<const char*>(data), size, [](std::size_t /*i*/) {});
}

}  // namespace vitrine::detail
