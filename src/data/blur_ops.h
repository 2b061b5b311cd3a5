#pragma once

#include <opencv2/core/mat.hpp>

namespace vitrine::detail {

// Operations on the neighbourhood of each pixel, on images uint8 [H, W, 3]. Results equal Pillow's
// of version 12.3, value by value.

/// From a smoothed image at `factor` 0 to a sharpened one above 1.
cv::Mat adjust_sharpness(const cv::Mat& image, double factor);

/// Blurs by a Gaussian of deviation `sigma` in pixels, at least 0, as three extended box filters
/// each way approximate it (Gwosdek et al. 2011, "Theoretical foundations of Gaussian convolution
/// by extended box filtering"); beyond the border stand its values.
cv::Mat gaussian_blur(const cv::Mat& image, double sigma);

/// Blurs by `side` x `side` values of a Gaussian of deviation `sigma`, above 0; beyond the border
/// the image is mirrored. It is torchvision's gaussian_blur, from which single values differ by 1.
cv::Mat convolve_gaussian(const cv::Mat& image, int side, double sigma);

}  // namespace vitrine::detail
