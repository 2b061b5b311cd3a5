#include "vitrine/data/color_jitter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "vitrine/data/random.h"

#include "data/colour_ops.h"
#include "data/image_mat.h"
#include "data/point_ops.h"

namespace vitrine {
namespace {

using Adjust = cv::Mat (*)(const cv::Mat&, double);

constexpr std::array<Adjust, 4> kAdjustments = {
    detail::adjust_brightness,
    detail::adjust_contrast,
    detail::adjust_saturation,
    detail::adjust_hue};
constexpr std::size_t kHue = 3;

double draw_strength(std::size_t kind, double strength, at::Generator& generator) {
  return kind == kHue ? draw_uniform(generator, -strength, strength)
                      : draw_uniform(generator, std::max(0.0, 1 - strength), 1 + strength);
}

}  // namespace

ColorJitter::ColorJitter(const std::vector<double>& strengths) : strengths_(strengths) {
  const auto count = strengths.size();
  TORCH_CHECK_VALUE(
      count == 0 || count == 1 || count == 3 || count == 4,
      "color_jitter has to be 1, 3 or 4 numbers, but got ",
      count);
  for (std::size_t i = 0; i < count; ++i) {
    TORCH_CHECK_VALUE(
        std::isfinite(strengths[i]) && strengths[i] >= 0 && (i < kHue || strengths[i] <= 0.5),
        "color_jitter has to be of numbers of at least 0, that of the hue at most 0.5, but got ",
        strengths[i]);
  }
  if (count == 1) {
    strengths_.resize(kHue, strengths.front());
  }
  if (count > 0) {
    strengths_.resize(kAdjustments.size(), 0);
  }
}

torch::Tensor ColorJitter::operator()(const torch::Tensor& image, at::Generator& generator) const {
  detail::check_image(image, "image of color_jitter");
  const auto source = image.contiguous();
  auto result = detail::as_mat(source);
  std::array<std::size_t, kAdjustments.size()> order = {0, 1, 2, 3};
  for (std::size_t left = order.size(); left > 1; --left) {
    const auto chosen = draw_index(generator, static_cast<int64_t>(left));
    std::swap(order[left - 1], order[static_cast<std::size_t>(chosen)]);
  }
  for (const auto kind : order) {
    if (!strengths_.empty() && strengths_[kind] > 0) {
      const auto strength = draw_strength(kind, strengths_[kind], generator);
      result = kAdjustments[kind](result, strength);
    }
  }
  return result.data == source.data_ptr() ? source : detail::as_tensor(result);
}

}  // namespace vitrine
