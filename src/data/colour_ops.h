#pragma once

#include <opencv2/core/mat.hpp>

#include <cstdint>

namespace vitrine::detail {

// Operations on the colours of images, uint8 [H, W, 3] in RGB. Results equal Pillow's of version
// 12.3, and torchvision's functions for them, value by value.

/// From `a` at weight 0 to `b` at weight 1 and beyond, cut off at 0 and 255 and rounded down.
inline std::uint8_t blend(int a, int b, float weight) {
  const float value = static_cast<float>(a) + weight * static_cast<float>(b - a);
  const float positive = value > 0 ? value : 0;  // written so that the compiler uses vectors
  return static_cast<std::uint8_t>(static_cast<int>(positive < 255 ? positive : 255));
}
/// The same for every value of two images of one size.
cv::Mat blend(const cv::Mat& a, const cv::Mat& b, float weight);

/// Luma of ITU-R 601 in all three channels.
cv::Mat grey(const cv::Mat& image);
/// Mean of the luma over all pixels.
double mean_grey(const cv::Mat& image);
/// Multiplies the distance of each pixel from its grey by `factor`, at least 0.
cv::Mat adjust_saturation(const cv::Mat& image, double factor);
/// Turns the hue by `shift` of a circle, from -0.5 to 0.5, by way of HSV in bytes.
cv::Mat adjust_hue(const cv::Mat& image, double shift);

}  // namespace vitrine::detail
