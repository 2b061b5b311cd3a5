#pragma once

#include <torch/arg.h>
#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// Rule of the update.
enum class OptimizerKind { AdamW, Adam, Sgd, Lamb };

/// "adamw", "adam", "sgd" and "lamb", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(OptimizerKind kind);
VITRINE_API OptimizerKind parse_optimizer(const std::string& name);

/// Options of `Optimizer`, by timm's names.
struct OptimizerOptions {
  TORCH_ARG(OptimizerKind, opt) = OptimizerKind::AdamW;
  /// Decoupled decay of AdamW, L2 penalty of Adam and SGD, part of the update that LAMB scales; see
  /// `has_weight_decay` for what it acts on.
  TORCH_ARG(double, weight_decay) = 0.05;
  /// Momentum of SGD, in [0, 1).
  TORCH_ARG(double, momentum) = 0.9;
  /// Nesterov's momentum in SGD; needs a momentum above 0.
  TORCH_ARG(bool, nesterov) = true;
  /// Decay of the mean of gradients of AdamW, Adam and LAMB, in [0, 1).
  TORCH_ARG(double, beta1) = 0.9;
  /// Decay of their mean of squared gradients, in [0, 1).
  TORCH_ARG(double, beta2) = 0.999;
  /// Added to their denominator; where not set 1e-6 for LAMB and 1e-8 for the others.
  TORCH_ARG(std::optional<double>, eps);
  /// LAMB's own clipping: the norm, of all gradients together, above which it scales them down; 0
  /// for none.
  TORCH_ARG(double, max_grad_norm) = 1.0;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const OptimizerOptions& options);

/// Whether weight decay acts on a parameter: not where it has at most one dimension (norms and
/// biases), and not on biases of any shape, class, distillation and register tokens, position
/// embeddings, tables of relative position biases and the MLPs that stand for them, and scales of
/// cosine attention. timm excludes the same.
VITRINE_API bool has_weight_decay(const std::string& name, const torch::Tensor& parameter);

namespace detail {

/// Parameters that share their weight decay and learning rate, as lists side by side.
struct ParameterGroup {
  bool decays;
  double lr_scale;
  std::vector<std::string> names;
  std::vector<torch::Tensor> parameters;
  std::vector<torch::Tensor> first;   // exp_avg or momentum_buffer
  std::vector<torch::Tensor> second;  // exp_avg_sq; empty for SGD
};

}  // namespace detail

/// Updates the parameters of a module: by AdamW (Loshchilov and Hutter 2019), Adam (Kingma and Ba
/// 2015) or SGD with momentum, equal to torch.optim, through LibTorch's fused kernels; or by LAMB
/// (You et al. 2020, "Large Batch Optimization for Deep Learning",
/// https://arxiv.org/abs/1904.00962), equal to timm's, which leaves the rate of parameters without
/// weight decay as it is.
///
/// Updates are counted once for all parameters, as timm's LAMB does it; torch.optim counts them for
/// each, which differs where a parameter has a gradient in some updates only.
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
  OptimizerOptions options_;
  std::vector<detail::ParameterGroup> groups_;
  torch::Tensor step_;  // float32 scalar on the parameters' device, as the fused kernels want it
  int64_t steps_ = 0;
};

}  // namespace vitrine
