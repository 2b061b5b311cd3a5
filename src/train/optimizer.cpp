#include "vitrine/train/optimizer.h"

#include <cmath>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "name_table.h"
#include "train/parameter_groups.h"
#include "train/update_rules.h"

namespace vitrine {
namespace {

const detail::NameTable<OptimizerKind>& optimizers() {
  static const detail::NameTable<OptimizerKind> table = {
      {OptimizerKind::AdamW, "adamw"},
      {OptimizerKind::Adam, "adam"},
      {OptimizerKind::Sgd, "sgd"},
      {OptimizerKind::Lamb, "lamb"}};
  return table;
}

void check_share(const char* name, double value) {
  TORCH_CHECK_VALUE(
      value >= 0 && value < 1, name, " has to be at least 0 and below 1, but got ", value);
}

void check_least(const char* name, double value) {
  TORCH_CHECK_VALUE(
      std::isfinite(value) && value >= 0, name, " has to be at least 0, but got ", value);
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

bool has_second_moments(const OptimizerOptions& options) {
  return options.opt() != OptimizerKind::Sgd;
}

}  // namespace

std::string to_string(OptimizerKind kind) {
  return detail::name_of(optimizers(), kind);
}

OptimizerKind parse_optimizer(const std::string& name) {
  return detail::value_of(optimizers(), "optimizer", name);
}

void check_options(const OptimizerOptions& options) {
  check_least("weight_decay", options.weight_decay());
  check_share("momentum", options.momentum());
  check_share("beta1", options.beta1());
  check_share("beta2", options.beta2());
  check_least("eps", options.eps().value_or(0));
  check_least("max_grad_norm", options.max_grad_norm());
}

Optimizer::Optimizer(
    const torch::nn::Module& module,
    const OptimizerOptions& options,
    const std::map<std::string, double>& lr_scales)
    : options_(options), groups_(detail::make_parameter_groups(module, lr_scales)) {
  check_options(options);
  for (auto& group : groups_) {
    for (const auto& parameter : group.parameters) {
      // For SGD zeros stand for "no step yet": without dampening the first step comes out the same.
      group.first.push_back(torch::zeros_like(parameter.detach()));
      if (has_second_moments(options)) {
        group.second.push_back(torch::zeros_like(parameter.detach()));
      }
      step_ = torch::zeros({}, parameter.options().dtype(torch::kFloat32).requires_grad(false));
    }
  }
  TORCH_CHECK_VALUE(step_.defined(), "optimizer has to have a parameter that requires gradients");
}

void Optimizer::step(double lr) {
  const torch::NoGradGuard no_grad;
  step_ += 1;
  ++steps_;
  detail::UpdateInput input{lr, 0, steps_, step_, {}};
  const auto all = gradients();
  if (options_.opt() == OptimizerKind::Lamb && options_.max_grad_norm() > 0 && !all.empty()) {
    input.clip = detail::lamb_clip(all, options_.max_grad_norm());
  }
  for (auto& group : groups_) {
    auto lists = detail::lists_with_gradients(group);
    if (!lists.parameters.empty()) {
      input.lr = lr * group.lr_scale;
      input.weight_decay = group.decays ? options_.weight_decay() : 0.0;
      detail::update_parameters(lists, options_, input);
    }
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
  const bool has_moments = has_second_moments(options_);
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

}  // namespace vitrine
