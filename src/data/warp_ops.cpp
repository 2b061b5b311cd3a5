#include "data/warp_ops.h"

#include <opencv2/core.hpp>
#include <opencv2/core/hal/intrin.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace vitrine::detail {
namespace {

using Pair = cv::v_float64x2;

/// The three values of a pixel, and one more that fills the second pair.
struct Pixel {
  Pair first;
  Pair second;
};

Pixel load(const std::uint8_t* in) {
  const auto values = cv::v_reinterpret_as_s32(cv::v_load_expand_q(in));
  return {cv::v_cvt_f64(values), cv::v_cvt_f64_high(values)};
}

/// Whole parts, cut off at 0 and 255.
void store(const Pixel& pixel, std::uint8_t* out) {
  const Pair least = cv::v_setzero_f64();
  const Pair most = cv::v_setall_f64(255);
  std::array<int, 4> values{};
  cv::v_store(
      values.data(),
      cv::v_combine_low(
          cv::v_trunc(cv::v_min(cv::v_max(pixel.first, least), most)),
          cv::v_trunc(cv::v_min(cv::v_max(pixel.second, least), most))));
  std::copy_n(values.begin(), 3, out);
}

Pair linear(const Pair& a, const Pair& b, const Pair& t) {
  return a + (b - a) * t;
}

Pixel linear(const Pixel& a, const Pixel& b, double t) {
  const Pair place = cv::v_setall_f64(t);
  return {linear(a.first, b.first, place), linear(a.second, b.second, place)};
}

/// The cubic through b at 0 and c at 1 by Keys' kernel with parameter -1.
Pair cubic(const Pair& a, const Pair& b, const Pair& c, const Pair& d, const Pair& t) {
  const Pair rise = b - a;
  const Pair quadratic = c - (rise + rise) - d;
  const Pair third = rise - c + d;
  return b + t * (c - a + t * (quadratic + t * third));
}

Pixel cubic(const Pixel& a, const Pixel& b, const Pixel& c, const Pixel& d, double t) {
  const Pair place = cv::v_setall_f64(t);
  return {
      cubic(a.first, b.first, c.first, d.first, place),
      cubic(a.second, b.second, c.second, d.second, place)};
}

/// A source with its border values repeated `kMargin` pixels beyond, four bytes a pixel.
class Source {
 public:
  explicit Source(const cv::Mat& image)
      : padded_(image.rows + 2 * kMargin, image.cols + 2 * kMargin, CV_8UC4) {
    for (int y = 0; y < padded_.rows; ++y) {
      const auto* const in = image.ptr<std::uint8_t>(std::clamp(y - kMargin, 0, image.rows - 1));
      auto* const out = padded_.ptr<std::uint8_t>(y);
      for (int x = 0; x < padded_.cols; ++x) {
        const auto* const pixel = in + 3 * std::clamp(x - kMargin, 0, image.cols - 1);
        for (int i = 0; i < 3; ++i) {
          out[4 * x + i] = pixel[i];
        }
        out[4 * x + 3] = 0;
      }
    }
  }

  /// The pixel at (x, y), at most `kMargin` pixels outside.
  const std::uint8_t* at(int x, int y) const {
    return padded_.ptr<std::uint8_t>(y + kMargin) + 4 * (x + kMargin);
  }
  std::size_t row_bytes() const { return padded_.step[0]; }

 private:
  static constexpr int kMargin = 2;
  cv::Mat padded_;
};

/// The whole number below `x`, above -1; the library's function takes longer than an interpolation.
int whole(double x) {
  return static_cast<int>(x) - (x < 0 ? 1 : 0);
}

Pixel bilinear(const Source& source, double x, double y) {
  const int left = whole(x);
  const int top = whole(y);
  const auto* const above = source.at(left, top);
  const auto* const below = above + source.row_bytes();
  const double t = x - left;
  return linear(
      linear(load(above), load(above + 4), t), linear(load(below), load(below + 4), t), y - top);
}

Pixel bicubic(const Source& source, double x, double y) {
  const int left = whole(x);
  const int top = whole(y);
  const auto* in = source.at(left - 1, top - 1);
  const double t = x - left;
  Pixel rows[4];
  for (auto& row : rows) {
    row = cubic(load(in), load(in + 4), load(in + 8), load(in + 12), t);
    in += source.row_bytes();
  }
  return cubic(rows[0], rows[1], rows[2], rows[3], y - top);
}

/// Whatever lies inside is interpolated between the centres of pixels, which lie at halves.
template <typename Interpolate>
void warp_smoothly(
    const cv::Mat& image, const WarpMatrix& m, Interpolate interpolate, cv::Mat& result) {
  const Source source(image);
  const auto [columns, rows] = std::pair(image.cols, image.rows);
  for (int row = 0; row < rows; ++row) {
    auto* out = result.ptr<std::uint8_t>(row);
    const double v = row + 0.5;
    for (int column = 0; column < columns; ++column, out += 3) {
      const double u = column + 0.5;
      const double x = m[0] * u + m[1] * v + m[2];
      const double y = m[3] * u + m[4] * v + m[5];
      if (x >= 0 && x < columns && y >= 0 && y < rows) {
        store(interpolate(source, x - 0.5, y - 0.5), out);
      }
    }
  }
}

void copy_pixel(const cv::Mat& image, std::int64_t x, std::int64_t y, std::uint8_t* out) {
  if (x >= 0 && x < image.cols && y >= 0 && y < image.rows) {
    const auto* const in = image.ptr<std::uint8_t>(static_cast<int>(y)) + 3 * x;
    std::copy(in, in + 3, out);
  }
}

/// Without a turn or a shear Pillow adds up the places of columns and rows in double precision.
void copy_scaled(const cv::Mat& image, const WarpMatrix& m, cv::Mat& result) {
  double y = m[5] + m[4] * 0.5;
  for (int row = 0; row < result.rows; ++row, y += m[4]) {
    auto* out = result.ptr<std::uint8_t>(row);
    double x = m[2] + m[0] * 0.5;
    for (int column = 0; column < result.cols; ++column, x += m[0], out += 3) {
      copy_pixel(
          image,
          static_cast<std::int64_t>(std::floor(x)),
          static_cast<std::int64_t>(std::floor(y)),
          out);
    }
  }
}

/// In general it does so in integers, in 1 / 65536 of a pixel.
void copy_nearest(const cv::Mat& image, const WarpMatrix& m, cv::Mat& result) {
  const auto fixed = [](double value) {
    return static_cast<std::int64_t>(std::floor(value * 65536.0 + 0.5));
  };
  const auto step_x = fixed(m[0]);
  const auto step_y = fixed(m[3]);
  auto start_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
  auto start_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  for (int row = 0; row < result.rows; ++row) {
    auto* out = result.ptr<std::uint8_t>(row);
    auto x = start_x;
    auto y = start_y;
    for (int column = 0; column < result.cols; ++column, out += 3) {
      copy_pixel(image, x >> 16, y >> 16, out);
      x += step_x;
      y += step_y;
    }
    start_x += fixed(m[1]);
    start_y += fixed(m[4]);
  }
}

/// To 15 decimals, exactly as written in decimal, so that a quarter turn is one.
double rounded(double value) {
  char text[32];
  const auto written =
      std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed, /*precision=*/15);
  std::from_chars(text, written.ptr, value);
  return value;
}

}  // namespace

cv::Mat warp(const cv::Mat& image, const WarpMatrix& matrix, const WarpStyle& style) {
  const cv::Scalar fill(style.fill[0], style.fill[1], style.fill[2]);
  cv::Mat result(image.size(), CV_8UC3, fill);
  if (style.sampling == Sampling::Bilinear) {
    warp_smoothly(
        image, matrix, [](const auto&... place) { return bilinear(place...); }, result);
  } else if (style.sampling == Sampling::Bicubic) {
    warp_smoothly(
        image, matrix, [](const auto&... place) { return bicubic(place...); }, result);
  } else if (matrix[1] == 0 && matrix[3] == 0) {
    copy_scaled(image, matrix, result);
  } else {
    copy_nearest(image, matrix, result);
  }
  return result;
}

cv::Mat rotate(const cv::Mat& image, double degrees, const WarpStyle& style) {
  const double angle = degrees - 360 * std::floor(degrees / 360);
  const bool square = image.rows == image.cols;
  cv::Mat result;
  if (angle == 0) {
    return image.clone();
  }
  if (angle == 180 || (square && (angle == 90 || angle == 270))) {
    cv::rotate(
        image,
        result,
        angle == 180  ? cv::ROTATE_180
        : angle == 90 ? cv::ROTATE_90_COUNTERCLOCKWISE
                      : cv::ROTATE_90_CLOCKWISE);
    return result;
  }
  const double radians = -(angle * (CV_PI / 180));
  const double c = rounded(std::cos(radians));
  const double s = rounded(std::sin(radians));
  const double x = image.cols / 2.0;
  const double y = image.rows / 2.0;
  return warp(image, {c, s, c * -x + s * -y + x, -s, c, -s * -x + c * -y + y}, style);
}

}  // namespace vitrine::detail
