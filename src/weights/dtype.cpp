#include "dtype.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace vitrine::detail {
namespace {

struct DtypeRow {
  const char* name;
  unsigned bits;
};

// In the order of the enumeration.
constexpr std::array<DtypeRow, 22> kDtypes = {{
    {"BOOL", 8},    {"U8", 8},          {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8},
    {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},
    {"F16", 16},    {"BF16", 16},       {"I32", 32},        {"U32", 32},    {"F32", 32},
    {"I64", 64},    {"U64", 64},        {"F64", 64},        {"C64", 64},    {"F4", 4},
    {"F6_E2M3", 6}, {"F6_E3M2", 6},
}};

/// Multiplies `product` by `factor`; false, and `product` unchanged, when that overflows.
bool try_multiply(std::uint64_t& product, std::uint64_t factor) {
  if (factor != 0 && product > std::numeric_limits<std::uint64_t>::max() / factor) {
    return false;
  }
  product *= factor;
  return true;
}

}  // namespace

const char* dtype_name(Dtype dtype) {
  return kDtypes[static_cast<std::size_t>(dtype)].name;
}

unsigned dtype_bits(Dtype dtype) {
  return kDtypes[static_cast<std::size_t>(dtype)].bits;
}

std::optional<Dtype> find_dtype(std::string_view name) {
  for (std::size_t i = 0; i < kDtypes.size(); ++i) {
    if (name == kDtypes[i].name) {
      return static_cast<Dtype>(i);
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> bits_of(const std::vector<std::int64_t>& shape, Dtype dtype) {
  std::uint64_t bits = 1;
  std::uint64_t strides = 1;  // ATen computes strides as if no dimension were 0; they must not wrap
  for (const auto dimension : shape) {
    const auto size = static_cast<std::uint64_t>(dimension);
    if (!try_multiply(bits, size) || !try_multiply(strides, std::max<std::uint64_t>(size, 1)) ||
        strides > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return std::nullopt;
    }
  }
  if (!try_multiply(bits, dtype_bits(dtype))) {
    return std::nullopt;
  }
  return bits;
}

}  // namespace vitrine::detail
