#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "vitrine/train/optimizer.h"

namespace vitrine::detail {

/// Parameters that have a gradient, with it and their moments, as lists side by side.
struct UpdateLists {
  std::vector<torch::Tensor> parameters;
  std::vector<torch::Tensor> gradients;
  std::vector<torch::Tensor> first;   // exp_avg or momentum_buffer
  std::vector<torch::Tensor> second;  // exp_avg_sq; empty for SGD
};

/// What an update depends on beside its lists and the optimizer's options.
struct UpdateInput {
  double lr;
  double weight_decay;
  int64_t step;               // from 1
  torch::Tensor step_tensor;  // the same, as the fused kernels want it
  torch::Tensor clip;         // for LAMB: what gradients are divided by; undefined for nothing
};

/// Updates parameters and moments in place by the options' rule.
void update_parameters(
    UpdateLists& lists, const OptimizerOptions& options, const UpdateInput& input);

/// What LAMB divides all gradients by, so that their joint norm is at most `max_norm`.
torch::Tensor lamb_clip(const std::vector<torch::Tensor>& gradients, double max_norm);

}  // namespace vitrine::detail
