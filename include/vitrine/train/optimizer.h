#pragma once

#include <torch/arg.h>
#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// Rule of the update.
enum class OptimizerKind { AdamW, Sgd };

/// "adamw" and "sgd", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(OptimizerKind kind);
VITRINE_API OptimizerKind parse_optimizer(const std::string& name);

/// Options of `Optimizer`, by timm's names.
struct OptimizerOptions {
  TORCH_ARG(OptimizerKind, opt) = OptimizerKind::AdamW;
  /// Decoupled decay of AdamW, L2 penalty of SGD; see `has_weight_decay` for what it acts on.
  TORCH_ARG(double, weight_decay) = 0.05;
  /// Momentum of SGD, in [0, 1).
  TORCH_ARG(double, momentum) = 0.9;
  /// Nesterov's momentum in SGD; needs a momentum above 0.
  TORCH_ARG(bool, nesterov) = true;
  /// Decay of AdamW's mean of gradients, in [0, 1).
  TORCH_ARG(double, beta1) = 0.9;
  /// Decay of AdamW's mean of squared gradients, in [0, 1).
  TORCH_ARG(double, beta2) = 0.999;
  /// Added to AdamW's denominator.
  TORCH_ARG(double, eps) = 1e-8;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const OptimizerOptions& options);

/// Whether weight decay acts on a parameter: not where it has at most one dimension (norms and
/// biases), and not on biases of any shape, class, distillation and register tokens, position
/// embeddings, tables of relative position biases and the MLPs that stand for them, and scales of
/// cosine attention. timm excludes the same.
VITRINE_API bool has_weight_decay(const std::string& name, const torch::Tensor& parameter);

/// AdamW (Loshchilov and Hutter 2019) or SGD with momentum over the parameters of a module, by
/// LibTorch's fused kernels. Equal to torch.optim.
class VITRINE_API Optimizer {
 public:
  /// Takes the parameters of `module` that require gradients, where they are now: move the module
  /// to its device first. `lr_scales` has factors of the learning rate by a parameter's key, such
  /// as `layer_lr_scales` gives; that of any other is 1. Throws c10::ValueError on options out of
  /// range.
  Optimizer(
      const torch::nn::Module& module,
      const OptimizerOptions& options,
      const std::map<std::string, double>& lr_scales = {});

  /// Updates every parameter that has a gradient, at learning rate `lr` times its factor.
  void step(double lr);
  /// Drops all gradients.
  void zero_grad();

  /// Gradients there are now, in the order of the parameters.
  std::vector<torch::Tensor> gradients() const;
  /// Updates done.
  int64_t steps() const { return steps_; }

  /// The moments by key, "<parameter>.exp_avg" and "<parameter>.exp_avg_sq" or
  /// "<parameter>.momentum_buffer", and "step"; the tensors are the optimizer's own.
  StateDict state() const;
  /// Takes over such a state. Throws CheckpointError, changing nothing, when keys or shapes do not
  /// fit.
  void load_state(const StateDict& state);

 private:
  /// Parameters that share their weight decay and learning rate, as lists side by side.
  struct Group {
    bool decays;
    double lr_scale;
    std::vector<std::string> names;
    std::vector<torch::Tensor> parameters;
    std::vector<torch::Tensor> first;   // exp_avg or momentum_buffer
    std::vector<torch::Tensor> second;  // exp_avg_sq; empty for SGD
  };
  Group& group_of(bool decays, double lr_scale);
  void step_group(Group& group, double lr);

  OptimizerOptions options_;
  std::vector<Group> groups_;
  torch::Tensor step_;  // float32 scalar on the parameters' device, as the fused kernels want it
  int64_t steps_ = 0;
};

/// Scales `gradients` so that their joint L2 norm is at most `max_norm`, as torch's clip_grad_norm_
/// does, and gives the norm before that, as a scalar tensor; `max_norm` 0 only measures.
VITRINE_API torch::Tensor clip_gradients(
    const std::vector<torch::Tensor>& gradients, double max_norm);

}  // namespace vitrine
