#pragma once

#include <ATen/core/Generator.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/image/preprocess.h"

namespace vitrine {

/// Two ends of a range, the lower one first.
using Bounds = std::pair<double, double>;

/// A rectangle of an image, in pixels.
struct CropBox {
  int64_t top;
  int64_t left;
  int64_t height;
  int64_t width;
};

/// A random affine map about the centre of an image.
struct AffineMap {
  double angle;        // clockwise, in degrees
  double translate_x;  // to the right, in pixels
  double translate_y;  // downwards, in pixels
  double scale;
};

/// How training images vary, by timm's names.
struct AugmentOptions {
  /// Share of the image's area that the random crop takes, in (0, 1].
  TORCH_ARG(Bounds, scale) = {0.08, 1.0};
  /// Width over height of the random crop.
  TORCH_ARG(Bounds, ratio) = {3.0 / 4.0, 4.0 / 3.0};
  /// Probability of a mirrored image.
  TORCH_ARG(double, hflip) = 0.5;
  /// Probability of an upside-down image.
  TORCH_ARG(double, vflip) = 0.0;
  /// Most degrees that an image is turned, either way.
  TORCH_ARG(double, degrees) = 0.0;
  /// Most that an image is moved, either way, as shares of width and height, in [0, 1].
  TORCH_ARG(Bounds, translate) = {0.0, 0.0};
  /// Factor by which the affine map zooms.
  TORCH_ARG(Bounds, affine_scale) = {1.0, 1.0};
  /// No variation at all: the shorter side scaled to the model's size, and the centre cut.
  TORCH_ARG(bool, no_aug) = false;
  /// Filters of the random crop, one of which is drawn for each image.
  TORCH_ARG(std::vector<Interpolation>, train_interpolation) = {
      Interpolation::Bilinear, Interpolation::Bicubic};
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const AugmentOptions& options);

/// The box of a random resized crop of an image of `height` x `width` pixels, as torchvision draws
/// it (area evenly, log of the proportions evenly; after ten boxes that do not fit, the centre).
VITRINE_API CropBox draw_crop(
    int64_t height,
    int64_t width,
    const Bounds& scale,
    const Bounds& ratio,
    at::Generator& generator);

/// The map of a random affine transform of an image of `height` x `width` pixels, as torchvision
/// draws it (whole pixels of translation).
VITRINE_API AffineMap
draw_affine(int64_t height, int64_t width, const AugmentOptions& options, at::Generator& generator);

/// `image`, uint8 [H, W, 3], turned, zoomed and moved about its centre; bilinear, black outside.
VITRINE_API torch::Tensor apply_affine(const torch::Tensor& image, const AffineMap& map);

/// Images as they are seen in training: random crop, affine map, flips, then normalisation.
class VITRINE_API TrainTransform {
 public:
  /// Size, mean and deviation come from `preprocess`. Throws c10::ValueError on options out of
  /// range.
  TrainTransform(AugmentOptions augment, PreprocessOptions preprocess);

  /// uint8 [H, W, 3] to float32 [3, height, width]. What is random comes from `generator` alone.
  torch::Tensor operator()(const torch::Tensor& image, at::Generator& generator) const;

 private:
  AugmentOptions augment_;
  PreprocessOptions preprocess_;
};

}  // namespace vitrine
