#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// What clipping bounds: the norm of all gradients together, each of their numbers, or the norm of
/// each unit's gradient by that of its weights.
enum class ClipMode { Norm, Value, Agc };

/// "norm", "value" and "agc", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(ClipMode mode);
VITRINE_API ClipMode parse_clip_mode(const std::string& name);

/// Scales `gradients` so that their joint L2 norm is at most `max_norm`, as torch's clip_grad_norm_
/// does, and gives the norm before that, as a scalar tensor; `max_norm` 0 only measures.
VITRINE_API torch::Tensor clip_gradients(
    const std::vector<torch::Tensor>& gradients, double max_norm);

/// Bounds every number of `gradients` to [-value, value]; `value` is above 0.
VITRINE_API void clip_gradient_values(const std::vector<torch::Tensor>& gradients, double value);

/// Adaptive clipping (Brock et al. 2021, "High-Performance Large-Scale Image Recognition Without
/// Normalization", section 4.1, https://arxiv.org/abs/2102.06171): scales the gradient of each
/// unit, a row along a parameter's first dimension or a whole vector, so that its L2 norm is at
/// most `factor`, above 0, times that of the unit's weights, which counts as at least 0.001.
/// Parameters without a gradient are left alone. Equal to timm's.
VITRINE_API void clip_gradients_adaptively(
    const std::vector<torch::Tensor>& parameters, double factor);

}  // namespace vitrine
