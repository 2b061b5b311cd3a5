#pragma once

#include <torch/arg.h>
#include <torch/nn/module.h>

#include <cstdint>

#include "vitrine/export.h"

namespace vitrine {

/// A moving average of a model's weights, by timm's names.
struct ModelEmaOptions {
  TORCH_ARG(bool, model_ema) = false;
  /// Share of the average that an update leaves, in [0, 1).
  TORCH_ARG(double, model_ema_decay) = 0.9998;
  /// Whether that share rises from update to update, at first.
  TORCH_ARG(bool, model_ema_warmup) = false;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const ModelEmaOptions& options);

/// What update number `step`, from 1, leaves of the average: nothing in the first, then
/// model_ema_decay, or with warm-up at most 1 - step^(-2/3). As in timm's ModelEmaV3.
VITRINE_API double ema_decay(const ModelEmaOptions& options, int64_t step);

/// Moves `average` towards `model`, which has the same parameters and buffers: floating-point ones
/// become decay * average + (1 - decay) * model, others are copied. The derived tables stay.
VITRINE_API void update_average(
    torch::nn::Module& average, const torch::nn::Module& model, double decay);

}  // namespace vitrine
