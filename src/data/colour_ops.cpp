#include "data/colour_ops.h"

#include <opencv2/core.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::detail {
namespace {

int luma(const std::uint8_t* pixel) {
  return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

/// Hue as a byte, of a pixel that is not grey; single precision where Pillow uses it.
int hue(const std::uint8_t* pixel, int high, int low) {
  const auto range = static_cast<float>(high - low);
  const float red = static_cast<float>(high - pixel[0]) / range;
  const float green = static_cast<float>(high - pixel[1]) / range;
  const float blue = static_cast<float>(high - pixel[2]) / range;
  float sixths = 0;
  if (pixel[0] == high) {
    sixths = blue - green;
  } else if (pixel[1] == high) {
    sixths = static_cast<float>(2.0 + red - blue);
  } else {
    sixths = static_cast<float>(4.0 + green - red);
  }
  const auto turn = static_cast<float>(std::fmod(sixths / 6.0 + 1.0, 1.0));
  return static_cast<int>(turn * 255.0);
}

/// A hue as a byte: which sixth of the circle it lies in, and how far.
struct Sixth {
  int number;
  float offset;
};

std::array<Sixth, 256> sixths() {
  std::array<Sixth, 256> table{};
  for (int h = 0; h < 256; ++h) {
    const double place = static_cast<float>(h) * 6.0 / 255.0;
    const auto number = static_cast<int>(place);
    table[static_cast<std::size_t>(h)] = {
        number % 6, static_cast<float>(place - static_cast<float>(number))};
  }
  return table;
}

void write_colour(Sixth hue, int saturation, int value, std::uint8_t* out) {
  const float s = static_cast<float>(saturation / 255.0);
  const auto share = [value](double part) {
    return static_cast<std::uint8_t>(std::lround(static_cast<float>(value) * part));
  };
  const auto v = static_cast<std::uint8_t>(value);
  const auto p = share(1.0 - s);
  const auto falling = share(1.0 - s * hue.offset);
  const auto rising = share(1.0 - s * (1.0 - hue.offset));
  const std::array<std::array<std::uint8_t, 3>, 6> colours = {
      {{v, rising, p},
       {falling, v, p},
       {p, v, rising},
       {p, falling, v},
       {rising, p, v},
       {v, p, falling}}};
  const auto& colour = colours[static_cast<std::size_t>(hue.number)];
  std::copy(colour.begin(), colour.end(), out);
}

}  // namespace

cv::Mat blend(const cv::Mat& a, const cv::Mat& b, float weight) {
  cv::Mat result(a.size(), a.type());
  const int values = 3 * a.cols;  // not read anew for each: a byte written could be any variable
  for (int y = 0; y < a.rows; ++y) {
    const auto* const from = a.ptr<std::uint8_t>(y);
    const auto* const to = b.ptr<std::uint8_t>(y);
    auto* const out = result.ptr<std::uint8_t>(y);
    for (int i = 0; i < values; ++i) {
      out[i] = blend(from[i], to[i], weight);
    }
  }
  return result;
}

cv::Mat grey(const cv::Mat& image) {
  cv::Mat result(image.size(), image.type());
  for (int y = 0; y < image.rows; ++y) {
    const auto* const in = image.ptr<std::uint8_t>(y);
    auto* const out = result.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x) {
      const auto value = static_cast<std::uint8_t>(luma(in + 3 * x));
      out[3 * x] = value;
      out[3 * x + 1] = value;
      out[3 * x + 2] = value;
    }
  }
  return result;
}

double mean_grey(const cv::Mat& image) {
  std::int64_t sum = 0;
  for (int y = 0; y < image.rows; ++y) {
    const auto* const in = image.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x) {
      sum += luma(in + 3 * x);
    }
  }
  return static_cast<double>(sum) / static_cast<double>(image.total());
}

cv::Mat adjust_saturation(const cv::Mat& image, double factor) {
  return blend(grey(image), image, static_cast<float>(factor));
}

cv::Mat adjust_hue(const cv::Mat& image, double shift) {
  static const auto sixths_of_a_turn = sixths();
  const auto added = static_cast<int>(shift * 255);
  cv::Mat result(image.size(), image.type());
  for (int y = 0; y < image.rows; ++y) {
    const auto* in = image.ptr<std::uint8_t>(y);
    auto* out = result.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x, in += 3, out += 3) {
      const int high = std::max({in[0], in[1], in[2]});
      const int low = std::min({in[0], in[1], in[2]});
      if (high == low) {  // grey stays as it is
        std::copy(in, in + 3, out);
        continue;
      }
      const auto turned = static_cast<std::uint8_t>(hue(in, high, low) + added);
      const auto range = static_cast<float>(high - low);
      const auto saturation = static_cast<int>(range / static_cast<float>(high) * 255.0);
      write_colour(sixths_of_a_turn[turned], saturation, high, out);
    }
  }
  return result;
}

}  // namespace vitrine::detail
