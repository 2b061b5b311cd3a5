#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vitrine::detail {

/// Element types that a safetensors file can name.
enum class Dtype : std::uint8_t {
  Bool,
  U8,
  I8,
  F8E5M2,
  F8E4M3,
  F8E8M0,
  F8E4M3Fnuz,
  F8E5M2Fnuz,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  I64,
  U64,
  F64,
  C64,
  F4,
  F6E2M3,
  F6E3M2,
};

/// The most dimensions that ATen's operators take.
inline constexpr std::size_t kMaxDimensions = 64;

/// Name of `dtype` in a file, such as "F32".
const char* dtype_name(Dtype dtype);

/// Bits of one element of `dtype`.
unsigned dtype_bits(Dtype dtype);

/// The dtype called `name`, or nothing where there is none.
std::optional<Dtype> find_dtype(std::string_view name);

/// Bits of a tensor, or nothing when their number, or a stride, overflows.
std::optional<std::uint64_t> bits_of(const std::vector<std::int64_t>& shape, Dtype dtype);

}  // namespace vitrine::detail
