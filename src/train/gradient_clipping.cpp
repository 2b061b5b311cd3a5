#include "vitrine/train/gradient_clipping.h"

#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>

#include <cmath>
#include <numeric>

#include "name_table.h"

namespace vitrine {
namespace {

const detail::NameTable<ClipMode>& clip_modes() {
  static const detail::NameTable<ClipMode> table = {
      {ClipMode::Norm, "norm"}, {ClipMode::Value, "value"}, {ClipMode::Agc, "agc"}};
  return table;
}

void check_bound(const char* what, double value) {
  TORCH_CHECK_VALUE(std::isfinite(value) && value > 0, what, " has to be above 0, but got ", value);
}

/// L2 norm of each row along the first dimension, [N, 1, ...], or of a whole vector, [].
torch::Tensor unit_norm(const torch::Tensor& tensor) {
  if (tensor.dim() <= 1) {
    return tensor.norm();
  }
  std::vector<int64_t> others(static_cast<std::size_t>(tensor.dim()) - 1);
  std::iota(others.begin(), others.end(), 1);
  return tensor.norm(2, others, /*keepdim=*/true);
}

}  // namespace

std::string to_string(ClipMode mode) {
  return detail::name_of(clip_modes(), mode);
}

ClipMode parse_clip_mode(const std::string& name) {
  return detail::value_of(clip_modes(), "way of clipping", name);
}

torch::Tensor clip_gradients(const std::vector<torch::Tensor>& gradients, double max_norm) {
  TORCH_CHECK_VALUE(
      max_norm >= 0, "norm that gradients are clipped to has to be at least 0, but got ", max_norm);
  TORCH_CHECK_VALUE(!gradients.empty(), "there are no gradients; call backward first");
  const torch::NoGradGuard no_grad;
  const auto norm = at::_foreach_norm(gradients, 2);
  auto total = torch::stack(norm).norm();
  if (max_norm > 0) {
    const auto factor = (max_norm / (total + 1e-6)).clamp_max(1.0);
    at::_foreach_mul_(gradients, factor);
  }
  return total;
}

void clip_gradient_values(const std::vector<torch::Tensor>& gradients, double value) {
  check_bound("value that gradients are clipped to", value);
  const torch::NoGradGuard no_grad;
  at::_foreach_clamp_min_(gradients, -value);
  at::_foreach_clamp_max_(gradients, value);
}

void clip_gradients_adaptively(const std::vector<torch::Tensor>& parameters, double factor) {
  constexpr double kLeastWeightNorm = 1e-3;
  constexpr double kLeastGradientNorm = 1e-6;
  check_bound("factor of adaptive clipping", factor);
  const torch::NoGradGuard no_grad;
  for (const auto& parameter : parameters) {
    const auto& gradient = parameter.grad();
    if (!gradient.defined()) {
      continue;
    }
    const auto most = unit_norm(parameter).clamp_min(kLeastWeightNorm).mul(factor);
    const auto norm = unit_norm(gradient);
    const auto clipped = gradient * (most / norm.clamp_min(kLeastGradientNorm));
    gradient.copy_(torch::where(norm < most, gradient, clipped));
  }
}

}  // namespace vitrine
