#include "vitrine/data/random_crop.h"

#include <algorithm>
#include <cmath>

#include "vitrine/data/random.h"

namespace vitrine {
namespace {

CropBox centre_crop(int64_t height, int64_t width, const Bounds& ratio) {
  const double proportion = static_cast<double>(width) / static_cast<double>(height);
  int64_t h = height;
  int64_t w = width;
  if (proportion < ratio.first) {
    h = std::llrint(static_cast<double>(width) / ratio.first);
  } else if (proportion > ratio.second) {
    w = std::llrint(static_cast<double>(height) * ratio.second);
  }
  h = std::clamp<int64_t>(h, 1, height);
  w = std::clamp<int64_t>(w, 1, width);
  return {(height - h) / 2, (width - w) / 2, h, w};
}

}  // namespace

CropBox draw_crop(
    int64_t height,
    int64_t width,
    const Bounds& scale,
    const Bounds& ratio,
    at::Generator& generator) {
  const double area = static_cast<double>(height) * static_cast<double>(width);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * draw_uniform(generator, scale.first, scale.second);
    const double aspect =
        std::exp(draw_uniform(generator, std::log(ratio.first), std::log(ratio.second)));
    const auto w = static_cast<int64_t>(std::llrint(std::sqrt(target * aspect)));
    const auto h = static_cast<int64_t>(std::llrint(std::sqrt(target / aspect)));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      const auto top = draw_index(generator, height - h + 1);
      const auto left = draw_index(generator, width - w + 1);
      return {top, left, h, w};
    }
  }
  return centre_crop(height, width, ratio);
}

}  // namespace vitrine
