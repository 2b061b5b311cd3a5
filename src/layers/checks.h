#pragma once

#include <torch/types.h>

#include <cstdint>

namespace vitrine::detail {

/// More blocks than any stage of any model has: a larger number comes from a damaged or hostile
/// file, and would take memory block by block.
constexpr int64_t kMostBlocks = 1000;

/// Throws c10::ValueError unless option `name` of `module` is a probability of dropping, in [0, 1).
inline void check_drop(const char* module, const char* name, double probability) {
  TORCH_CHECK_VALUE(
      probability >= 0 && probability < 1,
      module,
      ": ",
      name,
      " must be in [0, 1), got ",
      probability);
}

/// Throws c10::ValueError unless option `name` of `module` is at least 1.
inline void check_positive(const char* module, const char* name, int64_t value) {
  TORCH_CHECK_VALUE(value > 0, module, ": ", name, " must be at least 1, got ", value);
}

/// Throws c10::ValueError unless option `norm_eps` of `module` can be added to a variance.
inline void check_eps(const char* module, double eps) {
  TORCH_CHECK_VALUE(eps >= 0 && eps < 1, module, ": norm_eps must be in [0, 1), got ", eps);
}

/// `dim` times `ratio`, rounded down: the channels inside a block. Throws c10::ValueError, naming
/// the ratio, when they are none, or more than any model has.
inline int64_t scaled_dim(const char* module, const char* name, int64_t dim, double ratio) {
  constexpr int64_t kMost = 1 << 20;
  const double scaled = static_cast<double>(dim) * ratio;
  TORCH_CHECK_VALUE(
      scaled >= 1 && scaled <= kMost,
      module,
      ": ",
      name,
      " must give 1 to ",
      kMost,
      " channels, got ",
      ratio,
      " of ",
      dim);
  return static_cast<int64_t>(scaled);
}

}  // namespace vitrine::detail
