#include "vitrine/image/preprocess.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "vitrine/error.h"

#include "image/resample.h"
#include "name_table.h"

namespace vitrine {
namespace {

using detail::Span;

const detail::NameTable<Interpolation>& interpolations() {
  static const detail::NameTable<Interpolation> table = {
      {Interpolation::Nearest, "nearest"},
      {Interpolation::Bilinear, "bilinear"},
      {Interpolation::Bicubic, "bicubic"}};
  return table;
}

const detail::NameTable<CropMode>& crop_modes() {
  static const detail::NameTable<CropMode> table = {
      {CropMode::Center, "center"}, {CropMode::Squash, "squash"}, {CropMode::Border, "border"}};
  return table;
}

void check_image(const torch::Tensor& image, const char* function) {
  TORCH_CHECK_VALUE(
      image.defined() && image.dim() == 3 && image.size(2) == 3 && image.numel() > 0,
      function,
      ": expected an image of shape [H, W, 3], got ",
      image.defined() ? image.sizes() : at::IntArrayRef{});
  TORCH_CHECK_VALUE(
      image.scalar_type() == torch::kUInt8 && image.device().is_cpu(),
      function,
      ": expected uint8 values on the CPU, got ",
      image.scalar_type(),
      " on ",
      image.device());
}

void check_options(const PreprocessOptions& options) {
  constexpr int64_t kMaxSize = 1 << 20;
  TORCH_CHECK_VALUE(
      options.height() >= 1 && options.width() >= 1 && options.height() <= kMaxSize &&
          options.width() <= kMaxSize,
      "preprocess: height and width have to be from 1 to ",
      kMaxSize,
      ", got ",
      options.height(),
      " and ",
      options.width());
  TORCH_CHECK_VALUE(
      options.crop_pct() > 0.001 && options.crop_pct() <= 1.0,
      "preprocess: crop_pct has to be in (0.001, 1], got ",
      options.crop_pct());
}

void check_normalization(const PreprocessOptions& options) {
  for (size_t i = 0; i < 3; ++i) {
    TORCH_CHECK_VALUE(
        std::isfinite(options.mean()[i]) && std::isfinite(options.std()[i]) &&
            options.std()[i] > 0.0,
        "normalize: means have to be finite and deviations positive, got ",
        options.mean()[i],
        " and ",
        options.std()[i]);
  }
}

/// `image`, or a copy of it where its pixels lie apart; rows may.
torch::Tensor with_dense_rows(const torch::Tensor& image) {
  return image.stride(2) == 1 && image.stride(1) == 3 ? image : image.contiguous();
}

detail::Picture picture_of(const torch::Tensor& image) {
  return {image.const_data_ptr<uint8_t>(), image.size(1), image.size(0), image.stride(0)};
}

/// The size, [rows, columns], that the whole image is scaled to.
std::pair<int64_t, int64_t> scaled_size(
    int64_t rows, int64_t columns, const PreprocessOptions& options) {
  const auto enlarge = [&](int64_t side) {
    return static_cast<int64_t>(std::floor(static_cast<double>(side) / options.crop_pct()));
  };
  const int64_t height = enlarge(options.height());
  const int64_t width = enlarge(options.width());
  if (options.crop_mode() == CropMode::Squash) {
    return {height, width};
  }
  if (options.crop_mode() == CropMode::Center && height == width) {
    // torchvision's Resize to one number: the longer side is truncated.
    const auto scale = [&](int64_t longer, int64_t shorter) {
      return static_cast<int64_t>(
          static_cast<double>(height * longer) / static_cast<double>(shorter));
    };
    return columns <= rows ? std::pair{scale(rows, columns), width}
                           : std::pair{height, scale(columns, rows)};
  }
  // timm's ResizeKeepRatio: both sides are rounded, halves to even.
  const double row_ratio = static_cast<double>(rows) / static_cast<double>(height);
  const double column_ratio = static_cast<double>(columns) / static_cast<double>(width);
  const bool border = options.crop_mode() == CropMode::Border;
  const double ratio =
      border ? std::max(row_ratio, column_ratio) : std::min(row_ratio, column_ratio);
  const auto scale = [&](int64_t side) {
    return std::max<int64_t>(
        1, static_cast<int64_t>(std::nearbyint(static_cast<double>(side) / ratio)));
  };
  return {scale(rows), scale(columns)};
}

/// How one side of the scaled image meets the same side of the result.
struct Placement {
  Span source;         // of the scaled image
  int64_t offset = 0;  // in the result, where the source goes
};

Placement place_center(int64_t scaled, int64_t wanted) {
  if (wanted >= scaled) {
    return {{0, scaled}, (wanted - scaled) / 2};
  }
  const auto begin =
      static_cast<int64_t>(std::nearbyint(static_cast<double>(scaled - wanted) / 2.0));
  return {{begin, begin + wanted}, 0};
}

/// What surrounds an image that does not fill the result: black, or with borders the mean colour.
std::array<uint8_t, 3> fill_colour(const PreprocessOptions& options) {
  std::array<uint8_t, 3> colour = {0, 0, 0};
  if (options.crop_mode() == CropMode::Border) {
    for (size_t i = 0; i < 3; ++i) {
      colour[i] =
          static_cast<uint8_t>(std::clamp(std::nearbyint(255.0 * options.mean()[i]), 0.0, 255.0));
    }
  }
  return colour;
}

}  // namespace

std::string to_string(Interpolation interpolation) {
  return detail::name_of(interpolations(), interpolation);
}

Interpolation parse_interpolation(const std::string& name) {
  return detail::value_of(interpolations(), "interpolation", name);
}

std::string to_string(CropMode mode) {
  return detail::name_of(crop_modes(), mode);
}

CropMode parse_crop_mode(const std::string& name) {
  return detail::value_of(crop_modes(), "crop mode", name);
}

torch::Tensor resize(
    const torch::Tensor& image, int64_t height, int64_t width, Interpolation interpolation) {
  check_image(image, "resize");
  TORCH_CHECK_VALUE(
      height >= 1 && width >= 1, "resize: expected a positive size, got ", height, "x", width);
  const torch::Tensor source = with_dense_rows(image);
  torch::Tensor result = torch::empty({height, width, 3}, torch::kUInt8);
  detail::resample(
      picture_of(source),
      height,
      width,
      interpolation,
      {0, height},
      {0, width},
      result.data_ptr<uint8_t>(),
      width * 3);
  return result;
}

torch::Tensor preprocess(const torch::Tensor& image, const PreprocessOptions& options) {
  check_image(image, "preprocess");
  check_options(options);
  const torch::Tensor source = with_dense_rows(image);
  const auto [height, width] = scaled_size(source.size(0), source.size(1), options);
  const Placement rows = place_center(height, options.height());
  const Placement columns = place_center(width, options.width());

  torch::Tensor result = torch::empty({options.height(), options.width(), 3}, torch::kUInt8);
  auto* const out = result.data_ptr<uint8_t>();
  if (rows.source.size() < options.height() || columns.source.size() < options.width()) {
    const auto colour = fill_colour(options);
    for (int64_t i = 0; i < options.height() * options.width(); ++i) {
      std::copy(colour.begin(), colour.end(), out + 3 * i);
    }
  }
  detail::resample(
      picture_of(source),
      height,
      width,
      options.interpolation(),
      rows.source,
      columns.source,
      out + (rows.offset * options.width() + columns.offset) * 3,
      options.width() * 3);
  return normalize(result, options);
}

torch::Tensor normalize(const torch::Tensor& image, const PreprocessOptions& options) {
  check_image(image, "normalize");
  check_normalization(options);
  const torch::Tensor source = image.contiguous();
  const int64_t pixels = source.size(0) * source.size(1);
  torch::Tensor result = torch::empty({3, source.size(0), source.size(1)}, torch::kFloat);
  const auto* const in = source.data_ptr<uint8_t>();
  for (int64_t channel = 0; channel < 3; ++channel) {
    // Single precision throughout, as the reference computes it.
    const auto mean = static_cast<float>(options.mean()[static_cast<size_t>(channel)]);
    const auto deviation = static_cast<float>(options.std()[static_cast<size_t>(channel)]);
    std::array<float, 256> values{};
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = (static_cast<float>(i) / 255.0F - mean) / deviation;
    }
    float* const out = result.data_ptr<float>() + channel * pixels;
    for (int64_t i = 0; i < pixels; ++i) {
      out[i] = values[in[3 * i + channel]];
    }
  }
  return result;
}

}  // namespace vitrine
