#include "finite.h"

#include <torch/types.h>

#include <cstdint>

namespace vitrine::detail {
namespace {

/// A value is NaN or infinite when all bits of its exponent, those of `exponent`, are set. Without
/// a branch in the loop the compiler can use vector instructions.
template <typename Bits>
bool exponents_are_finite(const void* data, std::size_t count, Bits exponent) {
  const auto* values = static_cast<const Bits*>(data);
  bool finite = true;
  for (std::size_t i = 0; i < count; ++i) {
    finite &= (values[i] & exponent) != exponent;
  }
  return finite;
}

}  // namespace

bool all_finite(const void* data, std::size_t count, torch::ScalarType type) {
  switch (type) {
    case torch::kDouble:
      return exponents_are_finite<std::uint64_t>(data, count, 0x7FF0000000000000);
    case torch::kFloat:
      return exponents_are_finite<std::uint32_t>(data, count, 0x7F800000);
    case torch::kHalf:
      return exponents_are_finite<std::uint16_t>(data, count, 0x7C00);
    case torch::kBFloat16:
      return exponents_are_finite<std::uint16_t>(data, count, 0x7F80);
    default:
      TORCH_CHECK_VALUE(false, "expected a floating-point type, but got ", type);
  }
}

bool all_finite(const torch::Tensor& tensor) {
  const auto values = tensor.detach().cpu().contiguous();
  return all_finite(
      values.const_data_ptr(), static_cast<std::size_t>(values.numel()), values.scalar_type());
}

}  // namespace vitrine::detail
