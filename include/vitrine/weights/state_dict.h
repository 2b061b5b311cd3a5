#pragma once

#include <torch/nn/module.h>
#include <torch/ordered_dict.h>
#include <torch/types.h>

#include <string>

#include "vitrine/export.h"

namespace vitrine {

/// Tensors by key, in order.
using StateDict = torch::OrderedDict<std::string, torch::Tensor>;

/// Whether `key` names a table that a module derives from its options (relative position index and
/// coordinates, attention mask, fixed positions), which files neither need nor hold.
VITRINE_API bool is_derived_key(const std::string& key);

/// Parameters and buffers of `module`, by key, less the derived tables. The tensors are the
/// module's own.
VITRINE_API StateDict state_dict(const torch::nn::Module& module);

}  // namespace vitrine
