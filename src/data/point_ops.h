#pragma once

#include <opencv2/core/mat.hpp>

namespace vitrine::detail {

// Operations that map each value by itself, on images uint8 [H, W, 3] in RGB. Results equal
// Pillow's ImageOps and ImageEnhance of version 12.3, value by value.

/// Stretches each channel so that its least value becomes 0 and its largest 255.
cv::Mat autocontrast(const cv::Mat& image);
/// Spreads the values of each channel so that all are about as frequent.
cv::Mat equalize(const cv::Mat& image);
/// 255 less each value.
cv::Mat invert(const cv::Mat& image);
/// Keeps the `bits` highest bits of each value; all of them from 8 on, none below 1.
cv::Mat posterize(const cv::Mat& image, int bits);
/// Inverts the values that are at least `threshold`.
cv::Mat solarize(const cv::Mat& image, double threshold);
/// Adds `amount`, at least 0, to the values below 128.
cv::Mat solarize_add(const cv::Mat& image, int amount);
/// Multiplies each value by `factor`, at least 0.
cv::Mat adjust_brightness(const cv::Mat& image, double factor);
/// Multiplies each value's distance from the mean grey by `factor`, at least 0.
cv::Mat adjust_contrast(const cv::Mat& image, double factor);

}  // namespace vitrine::detail
