#include "vitrine/train/model_ema.h"

#include <ATen/ops/_foreach_lerp.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "vitrine/weights/state_dict.h"

namespace vitrine {

void check_options(const ModelEmaOptions& options) {
  TORCH_CHECK_VALUE(
      options.model_ema_decay() >= 0 && options.model_ema_decay() < 1,
      "model_ema_decay has to be at least 0 and below 1, but got ",
      options.model_ema_decay());
  TORCH_CHECK_VALUE(
      options.model_ema() || !options.model_ema_warmup(),
      "model_ema_warmup has no effect without model_ema");
}

double ema_decay(const ModelEmaOptions& options, int64_t step) {
  if (step <= 1) {
    return 0;
  }
  if (!options.model_ema_warmup()) {
    return options.model_ema_decay();
  }
  const double rising = 1 - std::pow(static_cast<double>(step), -2.0 / 3.0);
  return std::min(rising, options.model_ema_decay());
}

void update_average(torch::nn::Module& average, const torch::nn::Module& model, double decay) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> averages;
  std::vector<torch::Tensor> values;
  const auto current = state_dict(model);
  for (const auto& item : state_dict(average)) {
    const auto& value = current[item.key()];
    if (value.is_floating_point()) {
      averages.push_back(item.value());
      values.push_back(value);
    } else {
      item.value().copy_(value);
    }
  }
  at::_foreach_lerp_(averages, values, 1 - decay);
}

}  // namespace vitrine
