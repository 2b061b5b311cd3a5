#include "vitrine/train/grad_scaler.h"

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>

#include <cmath>

namespace vitrine {

void check_options(const GradScalerOptions& options) {
  TORCH_CHECK_VALUE(
      std::isfinite(options.init_scale()) && options.init_scale() > 0,
      "init_scale has to be above 0, but got ",
      options.init_scale());
  TORCH_CHECK_VALUE(
      std::isfinite(options.growth_factor()) && options.growth_factor() > 1,
      "growth_factor has to be above 1, but got ",
      options.growth_factor());
  TORCH_CHECK_VALUE(
      options.backoff_factor() > 0 && options.backoff_factor() < 1,
      "backoff_factor has to be above 0 and below 1, but got ",
      options.backoff_factor());
  TORCH_CHECK_VALUE(
      options.growth_interval() >= 1,
      "growth_interval has to be at least 1, but got ",
      options.growth_interval());
}

GradScaler::GradScaler(torch::Device device, const GradScalerOptions& options) : options_(options) {
  check_options(options);
  const auto numbers = torch::TensorOptions(device).dtype(torch::kFloat32);
  scale_ = torch::full({1}, options.init_scale(), numbers);
  growth_tracker_ = torch::zeros({1}, numbers.dtype(torch::kInt32));
  found_inf_ = torch::zeros({1}, numbers);
}

torch::Tensor GradScaler::scale(const torch::Tensor& loss) const {
  return loss * scale_.squeeze(0);
}

torch::Tensor GradScaler::unscale(
    const std::vector<torch::Tensor>& gradients, const torch::Tensor& loss) {
  const torch::NoGradGuard no_grad;
  found_inf_.zero_();
  if (!gradients.empty()) {
    // In double precision, as torch does it: the reciprocal of a subnormal scale is still finite.
    const auto inverse = scale_.to(torch::kFloat64).reciprocal().to(torch::kFloat32);
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_inf_, inverse);
  }
  if (loss.defined()) {
    // Its gradients may be finite nevertheless, such as those of 0 times infinity.
    found_inf_.masked_fill_(loss.isfinite().logical_not(), 1);
  }
  return found_inf_.squeeze(0).clone();
}

void GradScaler::update(bool skipped) {
  const torch::NoGradGuard no_grad;
  at::_amp_update_scale_(
      scale_,
      growth_tracker_,
      found_inf_,
      options_.growth_factor(),
      options_.backoff_factor(),
      options_.growth_interval());
  skipped_updates_ += skipped ? 1 : 0;
}

GradScalerState GradScaler::state() const {
  return {scale_.item<double>(), growth_tracker_.item<int64_t>(), skipped_updates_};
}

void GradScaler::load_state(const GradScalerState& state) {
  const torch::NoGradGuard no_grad;
  scale_.fill_(state.scale);
  growth_tracker_.fill_(state.growth_tracker);
  skipped_updates_ = state.skipped_updates;
}

}  // namespace vitrine
