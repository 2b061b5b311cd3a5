#pragma once

#include <ATen/core/Generator.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "vitrine/data/random_crop.h"
#include "vitrine/export.h"

namespace vitrine {

/// What is written over an erased box.
enum class EraseMode {
  Const,  // zeros: the mean colour of a normalised image
  Rand,   // one normal random colour for each box
  Pixel,  // one for each pixel
};

/// "const", "rand" or "pixel".
VITRINE_API std::string to_string(EraseMode mode);
/// The opposite; throws UnknownNameError.
VITRINE_API EraseMode parse_erase_mode(const std::string& name);

/// Options of `RandomErasing`.
struct RandomErasingOptions {
  /// Probability that an image is touched.
  TORCH_ARG(double, probability) = 0.5;
  TORCH_ARG(EraseMode, mode) = EraseMode::Const;
  /// Most boxes of an image; how many is drawn evenly from 1 on, and they share the area.
  TORCH_ARG(int64_t, count) = 1;
  /// Share of the image's area that is erased.
  TORCH_ARG(Bounds, area) = {0.02, 1.0 / 3.0};
  /// Height over width of a box.
  TORCH_ARG(Bounds, aspect) = {0.3, 1.0 / 0.3};
};

/// Throws c10::ValueError, naming the option as timm's flags do, when one is out of range.
VITRINE_API void check_options(const RandomErasingOptions& options);

/// Writes over random boxes of normalised images (Zhong et al. 2017, "Random Erasing Data
/// Augmentation", https://arxiv.org/abs/1708.04896), as timm 1.0.31 draws them.
class VITRINE_API RandomErasing {
 public:
  explicit RandomErasing(const RandomErasingOptions& options);

  /// Changes `image`, float32 [C, H, W] and contiguous, in place. What is random comes from
  /// `generator` alone.
  void operator()(torch::Tensor& image, at::Generator& generator) const;

 private:
  RandomErasingOptions options_;
};

/// A box of `share` of the area of an image of `height` x `width` pixels, `aspect` times as high as
/// wide, at the top left; nothing where it is not smaller than the image both ways.
VITRINE_API std::optional<CropBox> erased_box(
    int64_t height, int64_t width, double share, double aspect);

}  // namespace vitrine
