#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "vitrine/train/optimizer.h"

#include "train/update_rules.h"

namespace vitrine::detail {

/// The parameters of `module` that require gradients, by weight decay and factor of the learning
/// rate, without moments. `lr_scales` has factors by key; that of any other parameter is 1.
std::vector<ParameterGroup> make_parameter_groups(
    const torch::nn::Module& module, const std::map<std::string, double>& lr_scales);

/// Those of `group` that have a gradient now.
UpdateLists lists_with_gradients(const ParameterGroup& group);

}  // namespace vitrine::detail
