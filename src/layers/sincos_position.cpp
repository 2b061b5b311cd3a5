#include "vitrine/layers/sincos_position.h"

namespace vitrine {

torch::Tensor sincos_position_embedding(Size2 grid, int64_t dim) {
  constexpr double kTemperature = 10000;
  TORCH_CHECK_VALUE(
      dim >= 8 && dim % 4 == 0,
      "sin-cos position embedding: dim must be a multiple of 4, at least 8, got ",
      dim);
  TORCH_CHECK_VALUE(
      grid[0] > 0 && grid[1] > 0,
      "sin-cos position embedding: expected a grid of at least 1x1, got ",
      grid[0],
      "x",
      grid[1]);
  const auto last = dim / 4 - 1;
  const auto rank = torch::arange(last + 1, torch::kFloat) / static_cast<double>(last);
  const auto frequency = torch::pow(kTemperature, rank).reciprocal();  // [C / 4]
  const auto patch = torch::arange(grid[0] * grid[1], torch::kLong);
  const auto angles = [&](const torch::Tensor& place) {
    return place.to(torch::kFloat).unsqueeze(1) * frequency;  // [N, C / 4]
  };
  const auto x = angles(patch.remainder(grid[1]));
  const auto y = angles(patch.div(grid[1], "floor"));
  return torch::cat({x.sin(), x.cos(), y.sin(), y.cos()}, /*dim=*/1).unsqueeze(0);  // [1, N, C]
}

}  // namespace vitrine
