#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "image/weighted_sum.h"

namespace vitrine::detail {
namespace {

double triangle(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) {
    return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  }
  if (x < 2.0) {
    return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  }
  return 0.0;
}

/// For each pixel of `outputs`, out of `out_size`, which inputs count and how much. The order of
/// the operations is part of the result.
std::vector<Taps> make_taps(
    std::int64_t in_size, std::int64_t out_size, Interpolation interpolation, Span outputs) {
  const bool bicubic = interpolation == Interpolation::Bicubic;
  const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
  const double filter_scale = std::max(scale, 1.0);
  const double support = (bicubic ? 2.0 : 1.0) * filter_scale;
  const double inverse = 1.0 / filter_scale;
  const auto nearest = [](double place) {
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): as Pillow does it.
    return static_cast<std::int64_t>(place + 0.5);
  };
  std::vector<Taps> all;
  all.reserve(static_cast<std::size_t>(outputs.size()));
  std::vector<double> weights;
  for (std::int64_t i = outputs.begin; i < outputs.end; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(nearest(center - support), 0);
    const auto end = std::min<std::int64_t>(nearest(center + support), in_size);
    weights.clear();
    double sum = 0.0;
    for (std::int64_t x = 0; x < end - first; ++x) {
      const double place = (static_cast<double>(x + first) - center + 0.5) * inverse;
      weights.push_back(bicubic ? cubic(place) : triangle(place));
      sum += weights.back();
    }
    std::vector<std::int32_t> rounded;
    rounded.reserve(weights.size());
    for (double weight : weights) {
      weight = (sum != 0.0 ? weight / sum : weight) * static_cast<double>(1 << kWeightBits);
      rounded.push_back(static_cast<std::int32_t>(weight < 0.0 ? weight - 0.5 : weight + 0.5));
    }
    all.emplace_back(first, rounded);
  }
  return all;
}

/// The input positions of a nearest resize, stepping as Pillow does, whose sums round.
std::vector<std::int64_t> nearest_positions(
    std::int64_t in_size, std::int64_t out_size, Span outputs) {
  const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
  std::vector<std::int64_t> positions;
  double place = scale * 0.5;
  for (std::int64_t i = 0; i < outputs.end; ++i, place += scale) {
    if (i >= outputs.begin) {
      positions.push_back(std::min(static_cast<std::int64_t>(place), in_size - 1));
    }
  }
  return positions;
}

void resample_nearest(
    const Picture& picture,
    std::int64_t height,
    std::int64_t width,
    Span rows,
    Span columns,
    std::uint8_t* out,
    std::int64_t stride) {
  const auto from_rows = nearest_positions(picture.height, height, rows);
  const auto from_columns = nearest_positions(picture.width, width, columns);
  for (const std::int64_t row : from_rows) {
    const std::uint8_t* in = picture.pixels + row * picture.stride;
    std::uint8_t* pixel = out;
    for (const std::int64_t column : from_columns) {
      std::copy_n(in + column * 3, 3, pixel);
      pixel += 3;
    }
    out += stride;
  }
}

/// Puts a fourth byte behind each pixel and two spare pixels behind the row.
void widen_row(const std::uint8_t* in, std::int64_t width, std::uint8_t* out) {
  // Four bytes at once, but for the last pixel, behind which there may be nothing.
  for (std::int64_t x = 1; x < width; ++x, in += 3, out += 4) {
    std::memcpy(out, in, 4);
    out[3] = 0;
  }
  std::memcpy(out, in, 3);
  std::memset(out + 3, 0, 9);
}

/// Scales along the columns first, as Pillow does with very tall pictures.
void resample_tall(
    const Picture& picture,
    std::int64_t height,
    std::int64_t width,
    Interpolation interpolation,
    Span rows,
    Span columns,
    std::uint8_t* out,
    std::int64_t stride) {
  std::vector<std::uint8_t> shorter(static_cast<std::size_t>(rows.size() * picture.width * 3));
  const Span all = {0, picture.width};
  const std::int64_t shorter_stride = picture.width * 3;
  resample(
      picture, height, picture.width, interpolation, rows, all, shorter.data(), shorter_stride);
  const Picture between = {shorter.data(), picture.width, rows.size(), shorter_stride};
  resample(between, rows.size(), width, interpolation, {0, rows.size()}, columns, out, stride);
}

/// The inputs, from first to last, that the outputs are made of.
Span used_inputs(const std::vector<Taps>& outputs) {
  return {outputs.front().first(), outputs.back().end()};
}

/// The rows `rows` of `picture`, scaled to the columns `columns` and laid one behind the other.
std::vector<std::uint8_t> scale_along_rows(
    const Picture& picture, Span rows, const std::vector<Taps>& columns) {
  const std::int64_t bytes = static_cast<std::int64_t>(columns.size()) * 3;
  const Span used = used_inputs(columns);
  std::vector<std::uint8_t> scaled(static_cast<std::size_t>(rows.size() * bytes));
  std::vector<std::uint8_t> wide(static_cast<std::size_t>(picture.width * 4 + 8));
  for (std::int64_t y = 0; y < rows.size(); ++y) {
    const std::uint8_t* row = picture.pixels + (rows.begin + y) * picture.stride + used.begin * 3;
    widen_row(row, used.size(), wide.data() + used.begin * 4);
    sum_along_row(wide.data(), columns, scaled.data() + y * bytes);
  }
  return scaled;
}

}  // namespace

void resample(
    const Picture& picture,
    std::int64_t height,
    std::int64_t width,
    Interpolation interpolation,
    Span rows,
    Span columns,
    std::uint8_t* out,
    std::int64_t stride) {
  if (interpolation == Interpolation::Nearest) {
    resample_nearest(picture, height, width, rows, columns, out, stride);
    return;
  }
  if (picture.height > picture.width * 100 && height < picture.height && width != picture.width) {
    resample_tall(picture, height, width, interpolation, rows, columns, out, stride);
    return;
  }
  const std::int64_t bytes = columns.size() * 3;
  const bool scale_vertically = height != picture.height;
  std::vector<Taps> vertical;
  Span needed = rows;  // rows of the picture that count
  if (scale_vertically) {
    vertical = make_taps(picture.height, height, interpolation, rows);
    needed = used_inputs(vertical);
  }

  std::vector<std::uint8_t> scaled_rows;
  const std::uint8_t* between = picture.pixels + needed.begin * picture.stride + columns.begin * 3;
  std::int64_t between_stride = picture.stride;
  if (width != picture.width) {
    scaled_rows =
        scale_along_rows(picture, needed, make_taps(picture.width, width, interpolation, columns));
    between = scaled_rows.data();
    between_stride = bytes;
  }

  for (std::int64_t y = 0; y < rows.size(); ++y, out += stride) {
    if (scale_vertically) {
      const Taps& taps = vertical[static_cast<std::size_t>(y)];
      sum_rows(
          between + (taps.first() - needed.begin) * between_stride,
          between_stride,
          taps,
          bytes,
          out);
    } else {
      std::memcpy(out, between + y * between_stride, static_cast<std::size_t>(bytes));
    }
  }
}

}  // namespace vitrine::detail
