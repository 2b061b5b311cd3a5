#include "vitrine/data/augment.h"

#include <ATen/ops/flip.h>

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "vitrine/data/random.h"

namespace vitrine {
namespace {

void check_range(const char* name, const Bounds& range, double low, double high) {
  TORCH_CHECK_VALUE(
      range.first >= low && range.first <= range.second && range.second <= high,
      name,
      " has to be two numbers between ",
      low,
      " and ",
      high,
      ", the smaller first, but got ",
      range.first,
      " and ",
      range.second);
}

void check_probability(const char* name, double value) {
  TORCH_CHECK_VALUE(value >= 0 && value <= 1, name, " has to be between 0 and 1, but got ", value);
}

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

bool moves(const AugmentOptions& options) {
  return options.degrees() > 0 || options.translate() != Bounds{0, 0} ||
         options.affine_scale() != Bounds{1, 1};
}

}  // namespace

void check_options(const AugmentOptions& options) {
  constexpr double kSmallest = 1e-4;
  constexpr double kLargest = 1e4;
  check_range("scale", options.scale(), kSmallest, 1);
  check_range("ratio", options.ratio(), kSmallest, kLargest);
  check_probability("hflip", options.hflip());
  check_probability("vflip", options.vflip());
  TORCH_CHECK_VALUE(
      options.degrees() >= 0 && options.degrees() <= 180,
      "degrees has to be between 0 and 180, but got ",
      options.degrees());
  check_probability("translate", options.translate().first);
  check_probability("translate", options.translate().second);
  check_range("affine_scale", options.affine_scale(), 0.01, 100);
  TORCH_CHECK_VALUE(
      !options.train_interpolation().empty(), "train_interpolation has to name a filter");
}

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

AffineMap draw_affine(
    int64_t height, int64_t width, const AugmentOptions& options, at::Generator& generator) {
  const double most_x = options.translate().first * static_cast<double>(width);
  const double most_y = options.translate().second * static_cast<double>(height);
  AffineMap map{};
  map.angle = draw_uniform(generator, -options.degrees(), options.degrees());
  map.translate_x = std::nearbyint(draw_uniform(generator, -most_x, most_x));
  map.translate_y = std::nearbyint(draw_uniform(generator, -most_y, most_y));
  map.scale = draw_uniform(generator, options.affine_scale().first, options.affine_scale().second);
  return map;
}

torch::Tensor apply_affine(const torch::Tensor& image, const AffineMap& map) {
  TORCH_CHECK_VALUE(
      image.dim() == 3 && image.size(2) == 3 && image.scalar_type() == torch::kUInt8 &&
          image.numel() > 0,
      "image of an affine map has to be uint8 [H, W, 3], but got ",
      image.scalar_type(),
      " ",
      image.sizes());
  const auto source = image.contiguous();
  auto result = torch::empty_like(source);
  const auto rows = static_cast<int>(source.size(0));
  const auto columns = static_cast<int>(source.size(1));
  const cv::Mat from(rows, columns, CV_8UC3, source.data_ptr());
  cv::Mat to(rows, columns, CV_8UC3, result.data_ptr());

  // From a place of the result back to its source: undo the translation, the zoom and the turn.
  const double radians = map.angle * CV_PI / 180;
  const double c = std::cos(radians) / map.scale;
  const double s = std::sin(radians) / map.scale;
  const double centre_x = (columns - 1) * 0.5;
  const double centre_y = (rows - 1) * 0.5;
  const double x = centre_x + map.translate_x;
  const double y = centre_y + map.translate_y;
  const cv::Matx23d inverse(c, s, centre_x - c * x - s * y, -s, c, centre_y + s * x - c * y);
  cv::warpAffine(
      from, to, inverse, to.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_CONSTANT);
  return result;
}

TrainTransform::TrainTransform(AugmentOptions augment, PreprocessOptions preprocess)
    : augment_(std::move(augment)), preprocess_(std::move(preprocess)) {
  check_options(augment_);
  if (augment_.no_aug()) {
    preprocess_.crop_pct(1.0).crop_mode(CropMode::Center);
  }
}

torch::Tensor TrainTransform::operator()(
    const torch::Tensor& image, at::Generator& generator) const {
  if (augment_.no_aug()) {
    return preprocess(image, preprocess_);
  }
  const auto box =
      draw_crop(image.size(0), image.size(1), augment_.scale(), augment_.ratio(), generator);
  const auto& filters = augment_.train_interpolation();
  const auto filter = filters[static_cast<std::size_t>(
      draw_index(generator, static_cast<int64_t>(filters.size())))];
  const auto crop = image.narrow(0, box.top, box.height).narrow(1, box.left, box.width);
  auto result = resize(crop.contiguous(), preprocess_.height(), preprocess_.width(), filter);
  if (moves(augment_)) {
    result = apply_affine(result, draw_affine(result.size(0), result.size(1), augment_, generator));
  }
  if (draw_uniform(generator, 0, 1) < augment_.hflip()) {
    result = result.flip(1);
  }
  if (draw_uniform(generator, 0, 1) < augment_.vflip()) {
    result = result.flip(0);
  }
  return normalize(result, preprocess_);
}

}  // namespace vitrine
