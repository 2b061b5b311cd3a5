#pragma once

#include <opencv2/core/mat.hpp>

#include <array>
#include <cstdint>

namespace vitrine::detail {

// Affine maps of images, uint8 [H, W, 3]. Results equal Pillow's Image.transform and Image.rotate
// of version 12.3, value by value.

/// How a pixel follows from the source pixels around its place.
enum class Sampling { Nearest, Bilinear, Bicubic };

/// How a map is carried out.
struct WarpStyle {
  Sampling sampling;
  std::array<std::uint8_t, 3> fill;  // colour where the place lies outside the source
};

/// From a place (x, y) of the result to the place of the source,
/// (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]); pixel (0, 0) has its centre at (0.5, 0.5).
using WarpMatrix = std::array<double, 6>;

/// `image` through an affine map; the result has the same size.
cv::Mat warp(const cv::Mat& image, const WarpMatrix& matrix, const WarpStyle& style);
/// `image` turned about its centre, counterclockwise; whole half turns, and quarter turns of
/// squares, move pixels unchanged.
cv::Mat rotate(const cv::Mat& image, double degrees, const WarpStyle& style);

}  // namespace vitrine::detail
