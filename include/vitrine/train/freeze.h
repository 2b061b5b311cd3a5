#pragma once

#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Ends the training of the parameters of `module` whose keys match one of `patterns`
/// (`matches_wildcard`), such as "blocks.0.*", or do not match one that begins with "!", such as
/// "!head*", which leaves the head alone to learn: they take no more gradients, and an `Optimizer`
/// made afterwards leaves them out. Batch norms among them keep their running statistics, in
/// training too (`ConvNormAct`). Gives the keys, in the module's order.
///
/// Throws UnknownNameError, changing nothing, on a pattern that matches no key.
VITRINE_API std::vector<std::string> freeze(
    torch::nn::Module& module, const std::vector<std::string>& patterns);

}  // namespace vitrine
