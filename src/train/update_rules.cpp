#include "train/update_rules.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>

#include <cmath>

namespace vitrine::detail {
namespace {

void update_by_adam(UpdateLists& lists, const OptimizerOptions& options, const UpdateInput& input) {
  const std::vector<torch::Tensor> steps(lists.parameters.size(), input.step_tensor);
  const auto update = [&](auto kernel) {
    kernel(
        lists.parameters,
        lists.gradients,
        lists.first,
        lists.second,
        /*max_exp_avg_sqs=*/at::TensorList(),
        steps,
        input.lr,
        options.beta1(),
        options.beta2(),
        input.weight_decay,
        options.eps().value_or(1e-8),
        /*amsgrad=*/false,
        /*maximize=*/false);
  };
  if (options.opt() == OptimizerKind::Adam) {
    update([](auto&&... arguments) { at::_fused_adam_(arguments...); });
  } else {
    update([](auto&&... arguments) { at::_fused_adamw_(arguments...); });
  }
}

void update_by_sgd(UpdateLists& lists, const OptimizerOptions& options, const UpdateInput& input) {
  const bool moving = options.momentum() > 0;
  at::_fused_sgd_(
      lists.parameters,
      lists.gradients,
      moving ? at::TensorList(lists.first) : at::TensorList(),
      input.weight_decay,
      options.momentum(),
      input.lr,
      /*dampening=*/0.0,
      options.nesterov() && moving,
      /*maximize=*/false,
      /*is_first_step=*/false);
}

/// Norm of each parameter over that of its update, 1 where either is 0; [N].
torch::Tensor trust_ratios(
    const std::vector<torch::Tensor>& parameters, const std::vector<torch::Tensor>& updates) {
  const auto weights = torch::stack(at::_foreach_norm(parameters, 2));  // [N]
  const auto steps = torch::stack(at::_foreach_norm(updates, 2));       // [N]
  const auto usable = weights.gt(0).logical_and(steps.gt(0));
  return torch::where(usable, weights / steps, 1.0);
}

void update_by_lamb(UpdateLists& lists, const OptimizerOptions& options, const UpdateInput& input) {
  const auto step = static_cast<double>(input.step);
  const double correction1 = 1 - std::pow(options.beta1(), step);
  const double correction2 = 1 - std::pow(options.beta2(), step);
  const auto gradients =
      input.clip.defined() ? at::_foreach_div(lists.gradients, input.clip) : lists.gradients;
  at::_foreach_lerp_(lists.first, gradients, 1 - options.beta1());
  at::_foreach_mul_(lists.second, options.beta2());
  at::_foreach_addcmul_(lists.second, gradients, gradients, 1 - options.beta2());
  const auto denominators = at::_foreach_sqrt(lists.second);
  at::_foreach_div_(denominators, std::sqrt(correction2));
  at::_foreach_add_(denominators, options.eps().value_or(1e-6));
  const auto updates = at::_foreach_div(lists.first, correction1);
  at::_foreach_div_(updates, denominators);
  if (input.weight_decay == 0) {
    at::_foreach_add_(lists.parameters, updates, -input.lr);
    return;
  }
  at::_foreach_add_(updates, lists.parameters, input.weight_decay);
  const auto rates = trust_ratios(lists.parameters, updates).mul(-input.lr).unbind();
  at::_foreach_addcmul_(lists.parameters, updates, rates);
}

}  // namespace

void update_parameters(
    UpdateLists& lists, const OptimizerOptions& options, const UpdateInput& input) {
  switch (options.opt()) {
    case OptimizerKind::AdamW:
    case OptimizerKind::Adam:
      return update_by_adam(lists, options, input);
    case OptimizerKind::Sgd:
      return update_by_sgd(lists, options, input);
    case OptimizerKind::Lamb:
      return update_by_lamb(lists, options, input);
  }
}

torch::Tensor lamb_clip(const std::vector<torch::Tensor>& gradients, double max_norm) {
  return torch::stack(at::_foreach_norm(gradients, 2)).norm().div(max_norm).clamp_min(1.0);
}

}  // namespace vitrine::detail
