#include "vitrine/data/augment.h"

#include <opencv2/core.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/data/random_affine.h"
#include "vitrine/text.h"

#include "data/blur_ops.h"
#include "data/colour_ops.h"
#include "data/image_mat.h"
#include "data/option_checks.h"

namespace vitrine {
namespace {

bool happens(double probability, at::Generator& generator) {
  return probability > 0 && draw_uniform(generator, 0, 1) < probability;
}

AffineRange affine_range(const AugmentOptions& options) {
  return {options.degrees(), options.translate(), options.affine_scale()};
}

bool moves(const AffineRange& range) {
  return range.degrees > 0 || range.translate != Bounds{0, 0} || range.scale != Bounds{1, 1};
}

/// The mean of normalisation as a colour: what turned and moved images leave uncovered.
Colour mean_colour(const PreprocessOptions& options) {
  Colour colour{};
  for (std::size_t i = 0; i < colour.size(); ++i) {
    const double value = std::nearbyint(255 * options.mean()[i]);
    colour[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  }
  return colour;
}

torch::Tensor grey(const torch::Tensor& image) {
  return detail::as_tensor(detail::grey(detail::as_mat(image)));
}

torch::Tensor blur(const torch::Tensor& image, double deviation) {
  constexpr int kSide = 23;  // timm's
  return detail::as_tensor(detail::convolve_gaussian(detail::as_mat(image), kSide, deviation));
}

}  // namespace

void check_options(const AugmentOptions& options) {
  constexpr double kSmallest = 1e-4;
  constexpr double kLargest = 1e4;
  detail::check_bounds("scale", options.scale(), kSmallest, 1);
  detail::check_bounds("ratio", options.ratio(), kSmallest, kLargest);
  detail::check_probability("hflip", options.hflip());
  detail::check_probability("vflip", options.vflip());
  TORCH_CHECK_VALUE(
      options.degrees() >= 0 && options.degrees() <= 180,
      "degrees has to be between 0 and 180, but got ",
      options.degrees());
  detail::check_probability("translate", options.translate().first);
  detail::check_probability("translate", options.translate().second);
  detail::check_bounds("affine_scale", options.affine_scale(), 0.01, 100);
  TORCH_CHECK_VALUE(
      !options.train_interpolation().empty(), "train_interpolation has to name a filter");
  if (!options.aa().empty()) {
    AutoAugment{options.aa()};
  }
  static_cast<void>(ColorJitter(options.color_jitter()));
  detail::check_probability("color_jitter_prob", options.color_jitter_prob());
  detail::check_probability("grayscale_prob", options.grayscale_prob());
  detail::check_probability("gaussian_blur_prob", options.gaussian_blur_prob());
  check_options(options.erasing());
}

TrainTransform::TrainTransform(AugmentOptions augment, PreprocessOptions preprocess)
    : augment_(std::move(augment)), preprocess_(preprocess), erasing_(augment_.erasing()) {
  check_options(augment_);
  if (augment_.no_aug()) {
    preprocess_.crop_pct(1.0).crop_mode(CropMode::Center);
  }
  const auto& policy = augment_.aa();
  if (!policy.empty()) {
    auto_augment_.emplace(
        policy,
        AutoAugmentOptions()
            .fill(mean_colour(preprocess_))
            .interpolation(augment_.train_interpolation()));
  }
  const bool with_jitter = policy.empty() || policy.find("3a") != std::string::npos;
  if (with_jitter && !augment_.color_jitter().empty()) {
    color_jitter_.emplace(augment_.color_jitter());
  }
}

torch::Tensor TrainTransform::operator()(
    const torch::Tensor& image, at::Generator& generator) const {
  if (augment_.no_aug()) {
    return preprocess(image, preprocess_);
  }
  const auto seen = recolour(move(crop(image, generator), generator), generator);
  auto result = normalize(seen, preprocess_);
  erasing_(result, generator);
  return result;
}

torch::Tensor TrainTransform::crop(const torch::Tensor& image, at::Generator& generator) const {
  const auto box =
      draw_crop(image.size(0), image.size(1), augment_.scale(), augment_.ratio(), generator);
  const auto& filters = augment_.train_interpolation();
  const auto filter = filters[static_cast<std::size_t>(
      draw_index(generator, static_cast<int64_t>(filters.size())))];
  const auto part = image.narrow(0, box.top, box.height).narrow(1, box.left, box.width);
  return resize(part, preprocess_.height(), preprocess_.width(), filter);
}

torch::Tensor TrainTransform::move(const torch::Tensor& image, at::Generator& generator) const {
  auto result = image;
  const auto range = affine_range(augment_);
  if (moves(range)) {
    result = apply_affine(result, draw_affine(result.size(0), result.size(1), range, generator));
  }
  const bool mirrored = happens(augment_.hflip(), generator);
  const bool upside_down = happens(augment_.vflip(), generator);
  if (mirrored || upside_down) {
    auto pixels = detail::as_mat(result);
    cv::flip(pixels, pixels, mirrored && upside_down ? -1 : mirrored ? 1 : 0);
  }
  return result;
}

torch::Tensor TrainTransform::recolour(torch::Tensor image, at::Generator& generator) const {
  if (auto_augment_) {
    image = (*auto_augment_)(image, generator);
  }
  if (color_jitter_ && happens(augment_.color_jitter_prob(), generator)) {
    image = (*color_jitter_)(image, generator);
  }
  if (happens(augment_.grayscale_prob(), generator)) {
    image = grey(image);
  }
  if (happens(augment_.gaussian_blur_prob(), generator)) {
    image = blur(image, draw_uniform(generator, 0.1, 2.0));
  }
  return image;
}

}  // namespace vitrine
