#pragma once

#include <torch/utils.h>

#include "vitrine/layers/window_attention.h"

namespace vitrine {

/// Window attention of two channels with zero queries and keys, whose values and output pass
/// straight through: what is left of the scores is bias and mask.
inline WindowAttention averaging_attention(
    const WindowAttentionOptions& options = {/*dim=*/2, /*num_heads=*/1, /*window_size=*/2}) {
  const torch::NoGradGuard no_grad;
  WindowAttention attention(options);
  for (auto& parameter : attention->parameters()) {
    parameter.zero_();
  }
  attention->qkv->weight.slice(/*dim=*/0, /*start=*/4).copy_(torch::eye(2));
  attention->proj->weight.copy_(torch::eye(2));
  return attention;
}

/// One window of 2x2 tokens.
inline torch::Tensor four_tokens() {
  return torch::arange(8, torch::kFloat).view({1, 4, 2});  // (0,1) (2,3) (4,5) (6,7)
}

}  // namespace vitrine
