#pragma once

#include <ATen/core/Generator.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "vitrine/data/auto_augment.h"
#include "vitrine/data/color_jitter.h"
#include "vitrine/data/random_crop.h"
#include "vitrine/data/random_erasing.h"
#include "vitrine/export.h"
#include "vitrine/image/preprocess.h"

namespace vitrine {

/// How training images vary, by timm's names.
struct AugmentOptions {
  /// Share of the image's area that the random crop takes, in (0, 1].
  TORCH_ARG(Bounds, scale) = {0.08, 1.0};
  /// Width over height of the random crop.
  TORCH_ARG(Bounds, ratio) = {3.0 / 4.0, 4.0 / 3.0};
  /// Filters of the random crop, one of which is drawn for each image; those of `aa` too.
  TORCH_ARG(std::vector<Interpolation>, train_interpolation) = {
      Interpolation::Bilinear, Interpolation::Bicubic};
  /// Most degrees that an image is turned, either way.
  TORCH_ARG(double, degrees) = 0.0;
  /// Most that an image is moved, either way, as shares of width and height, in [0, 1].
  TORCH_ARG(Bounds, translate) = {0.0, 0.0};
  /// Factor by which the affine map zooms.
  TORCH_ARG(Bounds, affine_scale) = {1.0, 1.0};
  /// Probability of a mirrored image.
  TORCH_ARG(double, hflip) = 0.5;
  /// Probability of an upside-down image.
  TORCH_ARG(double, vflip) = 0.0;
  /// Policy of `AutoAugment`; none where empty.
  TORCH_ARG(std::string, aa);
  /// Strengths of `ColorJitter`; none where empty. With `aa` it is left out, but for the policies
  /// called 3a and 3aw, of which it is a part.
  TORCH_ARG(std::vector<double>, color_jitter);
  /// Probability that the colours of an image are jittered.
  TORCH_ARG(double, color_jitter_prob) = 1.0;
  /// Probability of an image without colours.
  TORCH_ARG(double, grayscale_prob) = 0.0;
  /// Probability of a blurred image, by a Gaussian of a deviation from 0.1 to 2 pixels.
  TORCH_ARG(double, gaussian_blur_prob) = 0.0;
  /// Boxes erased from the normalised image; none at probability 0.
  TORCH_ARG(RandomErasingOptions, erasing) =
      RandomErasingOptions().probability(0).mode(EraseMode::Pixel);
  /// No variation at all: the shorter side scaled to the model's size, and the centre cut.
  TORCH_ARG(bool, no_aug) = false;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const AugmentOptions& options);

/// Images as they are seen in training, by timm's steps: random crop, affine map, flips, automatic
/// augmentation or jitter of colours, grey, blur, normalisation, erasing.
class VITRINE_API TrainTransform {
 public:
  /// Size, mean and deviation come from `preprocess`. Throws c10::ValueError on options out of
  /// range.
  TrainTransform(AugmentOptions augment, PreprocessOptions preprocess);

  /// uint8 [H, W, 3] to float32 [3, height, width]. What is random comes from `generator` alone.
  torch::Tensor operator()(const torch::Tensor& image, at::Generator& generator) const;

 private:
  torch::Tensor crop(const torch::Tensor& image, at::Generator& generator) const;
  torch::Tensor move(const torch::Tensor& image, at::Generator& generator) const;
  torch::Tensor recolour(torch::Tensor image, at::Generator& generator) const;

  AugmentOptions augment_;
  PreprocessOptions preprocess_;
  std::optional<AutoAugment> auto_augment_;
  std::optional<ColorJitter> color_jitter_;
  RandomErasing erasing_;
};

}  // namespace vitrine
