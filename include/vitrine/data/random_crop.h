#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <utility>

#include "vitrine/export.h"

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

/// The box of a random resized crop of an image of `height` x `width` pixels, as torchvision draws
/// it (area evenly, log of the proportions evenly; after ten boxes that do not fit, the centre).
VITRINE_API CropBox draw_crop(
    int64_t height,
    int64_t width,
    const Bounds& scale,
    const Bounds& ratio,
    at::Generator& generator);

}  // namespace vitrine
