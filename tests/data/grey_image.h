#pragma once

#include <torch/types.h>

namespace vitrine {

/// uint8 [H, W, 3] whose channels all hold `rows`.
inline torch::Tensor grey_image(const torch::Tensor& rows) {
  return rows.to(torch::kUInt8).unsqueeze(2).repeat({1, 1, 3}).contiguous();
}

}  // namespace vitrine
