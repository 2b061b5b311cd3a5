#pragma once

#include <ATen/core/Generator.h>
#include <torch/types.h>

#include <cstdint>

#include "vitrine/data/random_crop.h"
#include "vitrine/export.h"

namespace vitrine {

/// A random affine map about the centre of an image.
struct AffineMap {
  double angle;        // clockwise, in degrees
  double translate_x;  // to the right, in pixels
  double translate_y;  // downwards, in pixels
  double scale;
};

/// From which maps are drawn.
struct AffineRange {
  double degrees;    // most degrees, either way
  Bounds translate;  // most, either way, as shares of width and height
  Bounds scale;
};

/// The map of a random affine transform of an image of `height` x `width` pixels, as torchvision
/// draws it (whole pixels of translation).
VITRINE_API AffineMap
draw_affine(int64_t height, int64_t width, const AffineRange& range, at::Generator& generator);

/// `image`, uint8 [H, W, 3], turned, zoomed and moved about its centre; bilinear, black outside.
VITRINE_API torch::Tensor apply_affine(const torch::Tensor& image, const AffineMap& map);

}  // namespace vitrine
