#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <functional>

namespace vitrine::detail {

/// Whether a block that begins now is to be checkpointed; within such a block none is.
bool checkpoints();

/// `forward` of `x`, which `block` computes; keeps `x` alone, and computes it again for the
/// gradients of `x` and of the block's parameters.
torch::Tensor checkpointed(
    torch::nn::Module& block,
    const torch::Tensor& x,
    std::function<torch::Tensor(const torch::Tensor&)> forward);

}  // namespace vitrine::detail
