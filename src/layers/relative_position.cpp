#include "vitrine/layers/relative_position.h"

#include <cmath>

namespace vitrine {
namespace {

/// Offsets along one side of `window` tokens, log-spaced: [2 * window - 1].
torch::Tensor spaced_side(int64_t window, int64_t reference) {
  constexpr double kReach = 8;  // of a whole reference window, before the logarithm
  const auto offset = torch::arange(1 - window, window, torch::kFloat)
                          .div(static_cast<double>(std::max<int64_t>(reference - 1, 1)))
                          .mul(kReach);
  return offset.sign() * (offset.abs() + 1).log2() / std::log2(kReach);
}

void check(const char* name, Size2 window) {
  TORCH_CHECK_VALUE(
      window[0] > 0 && window[1] > 0,
      name,
      ": a window must be at least 1x1, got ",
      window[0],
      "x",
      window[1]);
}

}  // namespace

torch::Tensor offset_index(Size2 window) {
  check("offset_index", window);
  const auto rows = window[0];
  const auto columns = window[1];
  const auto token = torch::arange(rows * columns, torch::kLong);
  const auto y = token.div(columns, "floor");
  const auto x = token.remainder(columns);
  const auto dy = y.unsqueeze(1) - y.unsqueeze(0) + (rows - 1);     // [N, N], 0 to 2 * rows - 2
  const auto dx = x.unsqueeze(1) - x.unsqueeze(0) + (columns - 1);  // [N, N]
  return dy * (2 * columns - 1) + dx;
}

torch::Tensor log_spaced_offsets(Size2 window, Size2 reference) {
  check("log_spaced_offsets", window);
  check("log_spaced_offsets", reference);
  const auto y = spaced_side(window[0], reference[0]).unsqueeze(1);  // [2 * rows - 1, 1]
  const auto x = spaced_side(window[1], reference[1]).unsqueeze(0);  // [1, 2 * columns - 1]
  return torch::stack(torch::broadcast_tensors({y, x}), /*dim=*/-1).view({-1, 2});
}

}  // namespace vitrine
