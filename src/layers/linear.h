#pragma once

#include <torch/nn/modules/linear.h>

namespace vitrine::detail {

/// A new linear layer, whose values are LibTorch's own random ones, or none under `SkipInit`.
torch::nn::Linear make_linear(const torch::nn::LinearOptions& options);

/// What `layer` gives for x [..., in]: [..., out]. LibTorch's own `forward` multiplies and then
/// adds the bias in a second pass over the result; ATen's operator, which Python calls, does both
/// at once.
inline torch::Tensor linear(const torch::nn::Linear& layer, const torch::Tensor& x) {
  return torch::linear(x, layer->weight, layer->bias);
}

}  // namespace vitrine::detail
