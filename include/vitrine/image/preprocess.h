#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "vitrine/export.h"

namespace vitrine {

/// Filter of a resize.
enum class Interpolation { Nearest, Bilinear, Bicubic };

/// How an image comes to the model's size: `Center` scales the shorter side to size / crop_pct and
/// cuts the centre; `Squash` scales both sides so, whatever the proportions; `Border` scales the
/// longer side and pads the rest. As timm's crop modes.
enum class CropMode { Center, Squash, Border };

/// What turns an image into the input of a model.
struct PreprocessOptions {
  /// Rows of the result, in pixels.
  TORCH_ARG(int64_t, height) = 224;
  /// Columns of the result, in pixels.
  TORCH_ARG(int64_t, width) = 224;
  /// Share of the scaled image that the crop keeps, in (0, 1].
  TORCH_ARG(double, crop_pct) = 0.9;
  TORCH_ARG(CropMode, crop_mode) = CropMode::Center;
  TORCH_ARG(Interpolation, interpolation) = Interpolation::Bicubic;
  /// Mean and deviation of red, green and blue, of values in [0, 1].
  using Triple = std::array<double, 3>;
  TORCH_ARG(Triple, mean) = {0.5, 0.5, 0.5};
  TORCH_ARG(Triple, std) = {0.5, 0.5, 0.5};
};

/// "nearest", "bilinear", "bicubic", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(Interpolation interpolation);
VITRINE_API Interpolation parse_interpolation(const std::string& name);
/// "center", "squash", "border", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(CropMode mode);
VITRINE_API CropMode parse_crop_mode(const std::string& name);

/// `image`, uint8 [H, W, 3], resized to uint8 [height, width, 3] with the antialiasing filters of
/// Pillow. Differs from Pillow 12 by at most 1/255 in 99.9 % of the values and by 2/255 anywhere.
VITRINE_API torch::Tensor resize(
    const torch::Tensor& image, int64_t height, int64_t width, Interpolation interpolation);

/// `image`, uint8 [H, W, 3] RGB, resized, cropped and normalised to float32 [3, height, width], as
/// timm's evaluation transform does it. Throws c10::ValueError on another dtype, shape or option
/// out of range.
VITRINE_API torch::Tensor preprocess(const torch::Tensor& image, const PreprocessOptions& options);

/// The last step alone: uint8 [H, W, 3] to float32 [3, H, W], divided by 255, minus mean, over std.
VITRINE_API torch::Tensor normalize(const torch::Tensor& image, const PreprocessOptions& options);

}  // namespace vitrine
