#pragma once

#include <torch/types.h>

#include <opencv2/core/mat.hpp>

namespace vitrine::detail {

/// Throws c10::ValueError, beginning with `what`, unless `image` is uint8 [H, W, 3] and not empty.
void check_image(const torch::Tensor& image, const char* what);

/// The values of `image`, contiguous uint8 [H, W, 3]; the tensor has to outlive the result.
cv::Mat as_mat(const torch::Tensor& image);
/// The same values as uint8 [H, W, 3].
torch::Tensor as_tensor(const cv::Mat& image);

}  // namespace vitrine::detail
