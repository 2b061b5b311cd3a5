#include "data/blur_ops.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "data/colour_ops.h"

namespace vitrine::detail {
namespace {

/// Each pixel five times and its eight neighbours once, over 13; the border stays as it is.
cv::Mat smooth(const cv::Mat& image) {
  cv::Mat result = image.clone();
  std::vector<std::uint16_t> sums(static_cast<std::size_t>(image.cols) * 3);  // of three rows
  for (int y = 1; y + 1 < image.rows; ++y) {
    const auto* const above = image.ptr<std::uint8_t>(y - 1);
    const auto* const row = image.ptr<std::uint8_t>(y);
    const auto* const below = image.ptr<std::uint8_t>(y + 1);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = static_cast<std::uint16_t>(above[i] + row[i] + below[i]);
    }
    auto* const out = result.ptr<std::uint8_t>(y);
    for (std::size_t i = 3; i + 3 < sums.size(); ++i) {
      const auto sum = static_cast<std::uint16_t>(sums[i - 3] + sums[i] + sums[i + 3] + 4 * row[i]);
      out[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(sum + 6) / 13);
    }
  }
  return result;
}

/// A box that covers the pixels up to `radius` away, and in part the next one on each side; the
/// weights are in 1 / 2^24.
struct Box {
  int radius;
  std::uint32_t inner;
  std::uint32_t outer;
};

/// The box of which `passes` make up a Gaussian, in single precision as Pillow computes it.
Box box_of_gaussian(double sigma, int passes) {
  const auto deviation = static_cast<float>(sigma);
  const float variance = deviation * deviation / static_cast<float>(passes);
  const auto length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const auto whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  const float radius = whole + part;

  constexpr std::uint32_t kOne = 1U << 24;
  Box box{};
  box.radius = static_cast<int>(radius);
  box.inner = static_cast<std::uint32_t>(static_cast<float>(kOne) / (radius * 2 + 1));
  box.outer = (kOne - static_cast<std::uint32_t>(box.radius * 2 + 1) * box.inner) / 2;
  return box;
}

/// Filters along the columns; whole rows at a time, so that the compiler can use vectors.
void filter_columns(const cv::Mat& image, const Box& box, cv::Mat& result) {
  result.create(image.size(), image.type());
  const auto row = [&](int y) { return image.ptr<std::uint8_t>(std::clamp(y, 0, image.rows - 1)); };
  const auto values = static_cast<std::size_t>(image.cols) * 3;
  std::vector<std::uint32_t> sums(values);
  for (int y = -box.radius - 1; y < box.radius; ++y) {  // the window of row -1
    const auto* const in = row(y);
    for (std::size_t i = 0; i < values; ++i) {
      sums[i] += in[i];
    }
  }
  for (int y = 0; y < image.rows; ++y) {
    const auto* const before = row(y - box.radius - 1);
    const auto* const last = row(y + box.radius);
    const auto* const after = row(y + box.radius + 1);
    auto* const out = result.ptr<std::uint8_t>(y);
    for (std::size_t i = 0; i < values; ++i) {
      sums[i] += static_cast<std::uint32_t>(last[i] - before[i]);
      const auto edges = static_cast<std::uint32_t>(before[i] + after[i]);
      const auto sum = sums[i] * box.inner + edges * box.outer + (1U << 23);
      out[i] = static_cast<std::uint8_t>(sum >> 24);
    }
  }
}

}  // namespace

cv::Mat adjust_sharpness(const cv::Mat& image, double factor) {
  return blend(smooth(image), image, static_cast<float>(factor));
}

cv::Mat gaussian_blur(const cv::Mat& image, double sigma) {
  if (sigma == 0) {
    return image.clone();
  }
  constexpr int kPasses = 3;
  const auto box = box_of_gaussian(sigma, kPasses);
  cv::Mat current;
  cv::Mat next;
  cv::transpose(image, current);
  for (int pass = 0; pass < kPasses; ++pass) {
    filter_columns(current, box, next);
    std::swap(current, next);
  }
  cv::transpose(current, next);
  std::swap(current, next);
  for (int pass = 0; pass < kPasses; ++pass) {
    filter_columns(current, box, next);
    std::swap(current, next);
  }
  return current;
}

cv::Mat convolve_gaussian(const cv::Mat& image, int side, double sigma) {
  // cv::GaussianBlur takes three times as long, with weights of 8 bits.
  const auto kernel = cv::getGaussianKernel(side, sigma, CV_32F);
  cv::Mat result;
  cv::sepFilter2D(
      image, result, CV_8U, kernel, kernel, {-1, -1}, /*delta=*/0, cv::BORDER_REFLECT_101);
  return result;
}

}  // namespace vitrine::detail
