#include "vitrine/layers/relative_position.h"

#include <algorithm>
#include <cmath>
#include <vector>

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

/// Where the old offsets along a side come to lie among the new: [2 * old_window - 1].
torch::Tensor spread_side(int64_t old_window, int64_t new_window) {
  // The factor from step to step is sought within these bounds, to this precision.
  double low = 1.01;
  double high = 1.5;
  double factor = low;
  const auto steps = static_cast<double>(old_window - 1);
  while (high - low > 1e-6) {
    factor = (low + high) / 2;
    const auto reach = (std::pow(factor, steps) - 1) / (factor - 1);
    (reach > static_cast<double>(new_window - 1) ? high : low) = factor;
  }
  std::vector<float> places(2 * old_window - 1, 0.0F);
  double place = 0;
  for (int64_t i = 1; i < old_window; ++i) {
    place += std::pow(factor, i - 1);
    places[old_window - 1 + i] = static_cast<float>(place);
    places[old_window - 1 - i] = static_cast<float>(-place);
  }
  return torch::tensor(places);
}

/// Share of each old offset along a side in each new one: [2 * new_window - 1, 2 * old_window - 1].
torch::Tensor side_shares(int64_t old_window, int64_t new_window) {
  const auto places = spread_side(old_window, new_window);
  const auto wanted = torch::arange(1 - new_window, new_window, torch::kFloat);
  const auto right = torch::bucketize(wanted, places).clamp_max(places.size(0) - 1);
  const auto left = (right - 1).clamp_min(0);
  const auto from_left = (wanted - places.index_select(0, left)).clamp_min(0);
  const auto to_right = (places.index_select(0, right) - wanted).clamp_min(0);
  const auto of_right = (from_left / (from_left + to_right)).nan_to_num(1.0);  // 0/0: on the first
  return torch::zeros({wanted.size(0), places.size(0)})
      .scatter_add(1, left.unsqueeze(1), 1 - of_right.unsqueeze(1))
      .scatter_add(1, right.unsqueeze(1), of_right.unsqueeze(1));
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

torch::Tensor resize_bias_table(const torch::Tensor& table, Size2 old_window, Size2 new_window) {
  check("resize_bias_table", old_window);
  check("resize_bias_table", new_window);
  const auto rows = 2 * old_window[0] - 1;
  const auto columns = 2 * old_window[1] - 1;
  TORCH_CHECK_VALUE(
      table.dim() == 2 && table.size(0) == rows * columns,
      "resize_bias_table: expected a table [",
      rows * columns,
      ", M] of windows of ",
      old_window[0],
      "x",
      old_window[1],
      ", got ",
      table.sizes());
  if (old_window == new_window) {
    return table;
  }
  const auto heads = table.size(1);
  const auto y = side_shares(old_window[0], new_window[0]).to(table.device());  // [h', h]
  const auto x = side_shares(old_window[1], new_window[1]).to(table.device());  // [w', w]
  const auto maps = table.to(torch::kFloat).t().reshape({heads, rows, columns});
  const auto resized = y.matmul(maps).matmul(x.t());  // [M, h', w']
  return resized.flatten(1).t().contiguous().to(table.scalar_type());
}

}  // namespace vitrine
