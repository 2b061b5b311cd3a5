#pragma once

#include <c10/core/Device.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Options of `GradScaler`, by torch's names and with its defaults.
struct GradScalerOptions {
  /// Scale to begin with, above 0.
  TORCH_ARG(double, init_scale) = 65536;
  /// Factor of the scale after `growth_interval` updates in a row, above 1.
  TORCH_ARG(double, growth_factor) = 2;
  /// Factor of the scale after gradients that were not finite, above 0 and below 1.
  TORCH_ARG(double, backoff_factor) = 0.5;
  TORCH_ARG(int64_t, growth_interval) = 2000;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const GradScalerOptions& options);

/// Where a scaler stands.
struct GradScalerState {
  double scale = 0;
  int64_t growth_tracker = 0;   // updates in a row since the scale last changed
  int64_t skipped_updates = 0;  // in all
};

/// Keeps small gradients from vanishing in float16: the loss is scaled up before the backward pass
/// and the gradients down after it; where they overflowed, the update is to be left out and the
/// scale falls, else it rises from time to time. By the rules of torch.amp.GradScaler (Micikevicius
/// et al. 2018, "Mixed Precision Training", https://arxiv.org/abs/1710.03740), which sets the scale
/// no bound from below: the caller has to stop where it falls for ever.
class VITRINE_API GradScaler {
 public:
  explicit GradScaler(torch::Device device, const GradScalerOptions& options = {});

  /// A loss times the scale.
  torch::Tensor scale(const torch::Tensor& loss) const;
  /// Divides gradients by the scale, in place. Gives 1 where one of them is not finite, or the
  /// loss, a scalar on their device, where it is given; else 0: a float32 scalar on their device.
  torch::Tensor unscale(
      const std::vector<torch::Tensor>& gradients, const torch::Tensor& loss = {});
  /// Adapts the scale to the gradients last unscaled; `skipped` says that `unscale` gave 1.
  void update(bool skipped);

  int64_t skipped_updates() const { return skipped_updates_; }
  GradScalerState state() const;
  void load_state(const GradScalerState& state);

 private:
  GradScalerOptions options_;
  torch::Tensor scale_;           // float32 [1]
  torch::Tensor growth_tracker_;  // int32 [1]
  torch::Tensor found_inf_;       // float32 [1]
  int64_t skipped_updates_ = 0;
};

}  // namespace vitrine
