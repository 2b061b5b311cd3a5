#include "data/point_ops.h"

#include <opencv2/core.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "data/colour_ops.h"

namespace vitrine::detail {
namespace {

using Histogram = std::array<std::int64_t, 256>;

std::array<Histogram, 3> histograms(const cv::Mat& image) {
  std::array<Histogram, 3> counts{};
  for (int y = 0; y < image.rows; ++y) {
    const auto* const row = image.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x) {
      ++counts[0][row[3 * x]];
      ++counts[1][row[3 * x + 1]];
      ++counts[2][row[3 * x + 2]];
    }
  }
  return counts;
}

/// `value(v)` in place of every value v.
template <typename Function>
cv::Mat map_values(const cv::Mat& image, Function value) {
  cv::Mat table(1, 256, CV_8U);
  for (int v = 0; v < 256; ++v) {
    table.at<std::uint8_t>(v) = static_cast<std::uint8_t>(value(v));
  }
  cv::Mat result;
  cv::LUT(image, table, result);
  return result;
}

/// As `map_values`, with a table for each channel that `make(histogram)` gives.
template <typename Function>
cv::Mat map_channels(const cv::Mat& image, Function make) {
  const auto counts = histograms(image);
  cv::Mat table(1, 256, CV_8UC3);
  for (int channel = 0; channel < 3; ++channel) {
    const auto values = make(counts[static_cast<std::size_t>(channel)]);
    for (int v = 0; v < 256; ++v) {
      table.at<cv::Vec3b>(v)[channel] = values[static_cast<std::size_t>(v)];
    }
  }
  cv::Mat result;
  cv::LUT(image, table, result);
  return result;
}

using Table = std::array<std::uint8_t, 256>;

Table identity() {
  Table table{};
  for (std::size_t v = 0; v < table.size(); ++v) {
    table[v] = static_cast<std::uint8_t>(v);
  }
  return table;
}

Table stretching(const Histogram& counts) {
  const auto used = [](std::int64_t count) { return count > 0; };
  const auto low = std::find_if(counts.begin(), counts.end(), used) - counts.begin();
  const auto high = 255 - (std::find_if(counts.rbegin(), counts.rend(), used) - counts.rbegin());
  auto table = identity();
  if (high > low) {
    const double scale = 255.0 / static_cast<double>(high - low);
    const double offset = static_cast<double>(-low) * scale;
    for (std::size_t v = 0; v < table.size(); ++v) {
      const auto stretched = static_cast<int>(static_cast<double>(v) * scale + offset);
      table[v] = static_cast<std::uint8_t>(std::clamp(stretched, 0, 255));
    }
  }
  return table;
}

Table equalizing(const Histogram& counts) {
  std::int64_t total = 0;
  std::int64_t highest = 0;  // pixels of the largest value
  for (const auto count : counts) {
    total += count;
    highest = count > 0 ? count : highest;
  }
  auto table = identity();
  const auto step = (total - highest) / 255;
  if (step > 0) {
    auto rank = step / 2;
    for (std::size_t v = 0; v < table.size(); ++v) {
      table[v] = static_cast<std::uint8_t>(std::min<std::int64_t>(255, rank / step));
      rank += counts[v];
    }
  }
  return table;
}

}  // namespace

cv::Mat autocontrast(const cv::Mat& image) {
  return map_channels(image, stretching);
}

cv::Mat equalize(const cv::Mat& image) {
  return map_channels(image, equalizing);
}

cv::Mat invert(const cv::Mat& image) {
  return map_values(image, [](int v) { return 255 - v; });
}

cv::Mat posterize(const cv::Mat& image, int bits) {
  const int mask = ~((1 << (8 - std::clamp(bits, 0, 8))) - 1);
  return map_values(image, [mask](int v) { return v & mask; });
}

cv::Mat solarize(const cv::Mat& image, double threshold) {
  return map_values(image, [threshold](int v) { return v < threshold ? v : 255 - v; });
}

cv::Mat solarize_add(const cv::Mat& image, int amount) {
  return map_values(image, [amount](int v) { return v < 128 ? std::min(255, v + amount) : v; });
}

cv::Mat adjust_brightness(const cv::Mat& image, double factor) {
  const auto weight = static_cast<float>(factor);
  return map_values(image, [weight](int v) { return blend(0, v, weight); });
}

cv::Mat adjust_contrast(const cv::Mat& image, double factor) {
  const auto weight = static_cast<float>(factor);
  const auto mean = static_cast<int>(std::lround(mean_grey(image)));
  return map_values(image, [mean, weight](int v) { return blend(mean, v, weight); });
}

}  // namespace vitrine::detail
