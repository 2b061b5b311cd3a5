#include "vitrine/train/optimizer.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

void check_share(const char* name, double value) {
  TORCH_CHECK_VALUE(
      value >= 0 && value < 1, name, " has to be at least 0 and below 1, but got ", value);
}

const torch::Tensor& find_state(
    const StateDict& state, const std::string& key, const torch::Tensor& like) {
  const auto* const value = state.find(key);
  if (value == nullptr) {
    throw CheckpointError("optimizer state: '" + printable(key) + "' is missing");
  }
  if (value->sizes() != like.sizes() || value->scalar_type() != like.scalar_type()) {
    throw CheckpointError(
        "optimizer state: '" + printable(key) + "' is " + c10::str(value->sizes()) + ", expected " +
        c10::str(like.sizes()));
  }
  return *value;
}

}  // namespace

std::string to_string(OptimizerKind kind) {
  return kind == OptimizerKind::AdamW ? "adamw" : "sgd";
}

OptimizerKind parse_optimizer(const std::string& name) {
  if (name == "adamw") {
    return OptimizerKind::AdamW;
  }
  if (name == "sgd") {
    return OptimizerKind::Sgd;
  }
  throw UnknownNameError("optimizer", name, {"adamw", "sgd"});
}

void check_options(const OptimizerOptions& options) {
  TORCH_CHECK_VALUE(
      std::isfinite(options.weight_decay()) && options.weight_decay() >= 0,
      "weight_decay has to be at least 0, but got ",
      options.weight_decay());
  check_share("momentum", options.momentum());
  check_share("beta1", options.beta1());
  check_share("beta2", options.beta2());
  TORCH_CHECK_VALUE(
      std::isfinite(options.eps()) && options.eps() >= 0,
      "eps has to be at least 0, but got ",
      options.eps());
}

bool has_weight_decay(const std::string& name, const torch::Tensor& parameter) {
  constexpr std::array<const char*, 10> kExcluded = {
      "bias",
      "cls_token",
      "dist_token",
      "reg_token",
      "pos_embed",
      "absolute_pos_embed",
      "relative_position_bias_table",
      "cpb_mlp",
      "logit_scale",
      "mask_token"};
  const auto dotted = "." + name + ".";
  return parameter.dim() > 1 &&
         std::none_of(kExcluded.begin(), kExcluded.end(), [&](const std::string& part) {
           return dotted.find("." + part + ".") != std::string::npos;
         });
}

Optimizer::Optimizer(
    const torch::nn::Module& module,
    const OptimizerOptions& options,
    const std::map<std::string, double>& lr_scales)
    : options_(options), groups_{{true, 1.0, {}, {}, {}, {}}, {false, 1.0, {}, {}, {}, {}}} {
  check_options(options);
  const bool has_moments = options.opt() == OptimizerKind::AdamW;
  for (const auto& item : module.named_parameters()) {
    const auto& parameter = item.value();
    if (!parameter.requires_grad()) {
      continue;
    }
    const auto scale = lr_scales.find(item.key());
    auto& group = group_of(
        has_weight_decay(item.key(), parameter), scale == lr_scales.end() ? 1.0 : scale->second);
    group.names.push_back(item.key());
    group.parameters.push_back(parameter);
    // For SGD zeros stand for "no step yet": without dampening the first step comes out the same.
    group.first.push_back(torch::zeros_like(parameter.detach()));
    if (has_moments) {
      group.second.push_back(torch::zeros_like(parameter.detach()));
    }
    if (!step_.defined()) {
      step_ = torch::zeros({}, parameter.options().dtype(torch::kFloat32).requires_grad(false));
    }
  }
  TORCH_CHECK_VALUE(step_.defined(), "optimizer has to have a parameter that requires gradients");
}

Optimizer::Group& Optimizer::group_of(bool decays, double lr_scale) {
  for (auto& group : groups_) {
    if (group.decays == decays && group.lr_scale == lr_scale) {
      return group;
    }
  }
  groups_.push_back({decays, lr_scale, {}, {}, {}, {}});
  return groups_.back();
}

void Optimizer::step(double lr) {
  const torch::NoGradGuard no_grad;
  step_ += 1;
  ++steps_;
  for (auto& group : groups_) {
    step_group(group, lr * group.lr_scale);
  }
}

void Optimizer::step_group(Group& group, double lr) {
  std::vector<torch::Tensor> parameters;
  std::vector<torch::Tensor> gradients;
  std::vector<torch::Tensor> first;
  std::vector<torch::Tensor> second;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    const auto& gradient = group.parameters[i].grad();
    if (!gradient.defined()) {
      continue;
    }
    parameters.push_back(group.parameters[i]);
    gradients.push_back(gradient);
    first.push_back(group.first[i]);
    if (!group.second.empty()) {
      second.push_back(group.second[i]);
    }
  }
  if (parameters.empty()) {
    return;
  }
  const double weight_decay = group.decays ? options_.weight_decay() : 0.0;
  if (options_.opt() == OptimizerKind::AdamW) {
    const std::vector<torch::Tensor> steps(parameters.size(), step_);
    at::_fused_adamw_(
        parameters,
        gradients,
        first,
        second,
        /*max_exp_avg_sqs=*/{},
        steps,
        lr,
        options_.beta1(),
        options_.beta2(),
        weight_decay,
        options_.eps(),
        /*amsgrad=*/false,
        /*maximize=*/false);
  } else {
    const bool moving = options_.momentum() > 0;
    at::_fused_sgd_(
        parameters,
        gradients,
        moving ? at::TensorList(first) : at::TensorList(),
        weight_decay,
        options_.momentum(),
        lr,
        /*dampening=*/0.0,
        options_.nesterov() && moving,
        /*maximize=*/false,
        /*is_first_step=*/false);
  }
}

void Optimizer::zero_grad() {
  for (auto& group : groups_) {
    for (auto& parameter : group.parameters) {
      parameter.mutable_grad().reset();
    }
  }
}

std::vector<torch::Tensor> Optimizer::gradients() const {
  std::vector<torch::Tensor> result;
  for (const auto& group : groups_) {
    for (const auto& parameter : group.parameters) {
      if (parameter.grad().defined()) {
        result.push_back(parameter.grad());
      }
    }
  }
  return result;
}

StateDict Optimizer::state() const {
  const bool has_moments = options_.opt() == OptimizerKind::AdamW;
  StateDict result;
  for (const auto& group : groups_) {
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      const auto& name = group.names[i];
      result.insert(name + (has_moments ? ".exp_avg" : ".momentum_buffer"), group.first[i]);
      if (has_moments) {
        result.insert(name + ".exp_avg_sq", group.second[i]);
      }
    }
  }
  result.insert("step", torch::scalar_tensor(steps_, torch::kInt64));
  return result;
}

void Optimizer::load_state(const StateDict& state) {
  const torch::NoGradGuard no_grad;
  const auto own = this->state();
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;
  for (const auto& item : own) {
    copies.emplace_back(item.value(), find_state(state, item.key(), item.value()));
  }
  for (const auto& item : state) {
    if (!own.contains(item.key())) {
      throw CheckpointError("optimizer state: '" + printable(item.key()) + "' is unknown");
    }
  }
  for (auto& [to, from] : copies) {
    to.copy_(from);
  }
  steps_ = state["step"].item<int64_t>();
  step_.fill_(static_cast<double>(steps_));
}

torch::Tensor clip_gradients(const std::vector<torch::Tensor>& gradients, double max_norm) {
  TORCH_CHECK_VALUE(
      max_norm >= 0, "norm that gradients are clipped to has to be at least 0, but got ", max_norm);
  TORCH_CHECK_VALUE(!gradients.empty(), "there are no gradients; call backward first");
  const torch::NoGradGuard no_grad;
  const auto norm = at::_foreach_norm(gradients, 2);
  const auto total = torch::stack(norm).norm();
  if (max_norm > 0) {
    const auto factor = (max_norm / (total + 1e-6)).clamp_max(1.0);
    at::_foreach_mul_(gradients, factor);
  }
  return total;
}

}  // namespace vitrine
