#include "data/auto_augment_ops.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/blur_ops.h"
#include "data/colour_ops.h"
#include "data/point_ops.h"

namespace vitrine::detail {
namespace {

// What levels mean to timm. The order of the operations is that of its formulas, for equal
// rounding.

constexpr double kHighest = 10;

double negated(double value, double drawn) {
  return drawn > 0.5 ? -value : value;
}
double nothing(double, double, int) {
  return 0;
}
double degrees(double level, double drawn, int) {
  return negated(level / kHighest * 30.0, drawn);
}
double shear(double level, double drawn, int) {
  return negated(level / kHighest * 0.3, drawn);
}
double pixels(double level, double drawn, int side) {
  return negated(level / kHighest * std::floor(side * 0.45), drawn);
}
double share_of_side(double level, double drawn, int) {
  return negated(level / kHighest * 0.45, drawn);
}
double factor(double level, double, int) {
  return level / kHighest * 1.8 + 0.1;
}
double factor_around_one(double level, double drawn, int) {
  return std::max(0.1, 1.0 + negated(level / kHighest * .9, drawn));
}
double bits(double level, double, int) {
  return std::trunc(level / kHighest * 4);
}
double bits_lost(double level, double drawn, int side) {
  return 4 - bits(level, drawn, side);
}
double bits_of_paper(double level, double drawn, int side) {
  return bits(level, drawn, side) + 4;
}
double threshold(double level, double, int) {
  return std::min(256.0, std::trunc(level / kHighest * 256));
}
double threshold_falling(double level, double drawn, int side) {
  return 256 - threshold(level, drawn, side);
}
double addition(double level, double, int) {
  return std::min(128.0, std::trunc(level / kHighest * 110));
}
double within(double level, double low, double high) {
  return std::clamp(low + (high - low) * (level / kHighest), low, high);
}
double share_of_grey(double level, double, int) {
  return within(level, 0.5, 1.0);
}
double deviation(double level, double, int) {
  return within(level, 0.1, 2.0);
}
double random_deviation(double level, double drawn, int) {
  return 0.1 + (2.0 * within(level, 0.0, 1.0) - 0.1) * drawn;
}

// What bins mean to torchvision: even steps in single precision, of which the second half is
// counted from the end, each rounded once.

constexpr int kBins = 31;
constexpr int kMiddle = kBins / 2;

double bin(double level, float first, float last) {
  const float step = (last - first) / static_cast<float>(kBins - 1);
  const auto i = static_cast<float>(level);
  return level < kMiddle ? std::fma(step, i, first)
                         : std::fma(-step, static_cast<float>(kBins - 1) - i, last);
}
double wide_shear(double level, double drawn, int) {
  return negated(bin(level, 0, 0.99F), drawn);
}
double wide_factor(double level, double drawn, int) {
  return 1.0 + negated(bin(level, 0, 0.99F), drawn);
}
double wide_pixels(double level, double drawn, int) {
  // Its images move to the right and down, where timm's go to the left and up.
  return -negated(std::trunc(bin(level, 0, 32)), drawn);
}
double wide_degrees(double level, double drawn, int) {
  return negated(bin(level, 0, 135), drawn);
}
double wide_bits(double level, double, int) {
  return 8 - std::nearbyint(static_cast<float>(level) / 5.0F);
}
double wide_threshold(double level, double, int) {
  return bin(level, 255, 0);
}

// What arguments do to an image.

using Style = WarpStyle;

cv::Mat keep(const cv::Mat& image, double, const Style&) {
  return image;
}
template <cv::Mat (*kOperation)(const cv::Mat&)>
cv::Mat plain(const cv::Mat& image, double, const Style&) {
  return kOperation(image);
}
template <cv::Mat (*kOperation)(const cv::Mat&, double)>
cv::Mat by_number(const cv::Mat& image, double argument, const Style&) {
  return kOperation(image, argument);
}
template <cv::Mat (*kOperation)(const cv::Mat&, int)>
cv::Mat by_whole(const cv::Mat& image, double argument, const Style&) {
  return kOperation(image, static_cast<int>(argument));
}
cv::Mat fade_to_grey(const cv::Mat& image, double share, const Style&) {
  return adjust_saturation(image, std::clamp(1.0 - share, 0.0, 1.0));
}
cv::Mat shear_x(const cv::Mat& image, double a, const Style& style) {
  return warp(image, {1, a, 0, 0, 1, 0}, style);
}
cv::Mat shear_y(const cv::Mat& image, double a, const Style& style) {
  return warp(image, {1, 0, 0, a, 1, 0}, style);
}
cv::Mat move_x(const cv::Mat& image, double a, const Style& style) {
  return warp(image, {1, 0, a, 0, 1, 0}, style);
}
cv::Mat move_y(const cv::Mat& image, double a, const Style& style) {
  return warp(image, {1, 0, 0, 0, 1, a}, style);
}
cv::Mat move_x_by_share(const cv::Mat& image, double a, const Style& style) {
  return move_x(image, a * image.cols, style);
}
cv::Mat move_y_by_share(const cv::Mat& image, double a, const Style& style) {
  return move_y(image, a * image.rows, style);
}

const std::vector<AugmentOp>& augment_ops() {
  static const std::vector<AugmentOp> ops = {
      {"AutoContrast", false, nothing, plain<autocontrast>},
      {"Equalize", false, nothing, plain<equalize>},
      {"Invert", false, nothing, plain<invert>},
      {"Rotate", true, degrees, rotate},
      {"Posterize", false, bits, by_whole<posterize>},
      {"PosterizeIncreasing", false, bits_lost, by_whole<posterize>},
      {"PosterizeOriginal", false, bits_of_paper, by_whole<posterize>},
      {"Solarize", false, threshold, by_number<solarize>},
      {"SolarizeIncreasing", false, threshold_falling, by_number<solarize>},
      {"SolarizeAdd", false, addition, by_whole<solarize_add>},
      {"Color", false, factor, by_number<adjust_saturation>},
      {"ColorIncreasing", true, factor_around_one, by_number<adjust_saturation>},
      {"Contrast", false, factor, by_number<adjust_contrast>},
      {"ContrastIncreasing", true, factor_around_one, by_number<adjust_contrast>},
      {"Brightness", false, factor, by_number<adjust_brightness>},
      {"BrightnessIncreasing", true, factor_around_one, by_number<adjust_brightness>},
      {"Sharpness", false, factor, by_number<adjust_sharpness>},
      {"SharpnessIncreasing", true, factor_around_one, by_number<adjust_sharpness>},
      {"ShearX", true, shear, shear_x},
      {"ShearY", true, shear, shear_y},
      {"TranslateX", true, pixels, move_x},
      {"TranslateY", true, pixels, move_y},
      {"TranslateXRel", true, share_of_side, move_x_by_share},
      {"TranslateYRel", true, share_of_side, move_y_by_share},
      {"Desaturate", false, share_of_grey, fade_to_grey},
      {"GaussianBlur", false, deviation, by_number<gaussian_blur>},
      {"GaussianBlurRand", true, random_deviation, by_number<gaussian_blur>},

      {"TrivialIdentity", false, nothing, keep},
      {"TrivialShearX", true, wide_shear, shear_x},
      {"TrivialShearY", true, wide_shear, shear_y},
      {"TrivialTranslateX", true, wide_pixels, move_x},
      {"TrivialTranslateY", true, wide_pixels, move_y},
      {"TrivialRotate", true, wide_degrees, rotate},
      {"TrivialBrightness", true, wide_factor, by_number<adjust_brightness>},
      {"TrivialColor", true, wide_factor, by_number<adjust_saturation>},
      {"TrivialContrast", true, wide_factor, by_number<adjust_contrast>},
      {"TrivialSharpness", true, wide_factor, by_number<adjust_sharpness>},
      {"TrivialPosterize", false, wide_bits, by_whole<posterize>},
      {"TrivialSolarize", false, wide_threshold, by_number<solarize>},
      {"TrivialAutoContrast", false, nothing, plain<autocontrast>},
      {"TrivialEqualize", false, nothing, plain<equalize>}};
  return ops;
}

}  // namespace

const AugmentOp& find_augment_op(std::string_view name) {
  const auto& ops = augment_ops();
  const auto found =
      std::find_if(ops.begin(), ops.end(), [&](const auto& op) { return op.name == name; });
  if (found == ops.end()) {
    throw std::out_of_range("there is no operation of augmentation called " + std::string(name));
  }
  return *found;
}

}  // namespace vitrine::detail
