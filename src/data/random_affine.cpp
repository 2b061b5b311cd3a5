#include "vitrine/data/random_affine.h"

#include <opencv2/imgproc.hpp>

#include <cmath>

#include "vitrine/data/random.h"

#include "data/image_mat.h"

namespace vitrine {

AffineMap draw_affine(
    int64_t height, int64_t width, const AffineRange& range, at::Generator& generator) {
  const double most_x = range.translate.first * static_cast<double>(width);
  const double most_y = range.translate.second * static_cast<double>(height);
  AffineMap map{};
  map.angle = draw_uniform(generator, -range.degrees, range.degrees);
  map.translate_x = std::nearbyint(draw_uniform(generator, -most_x, most_x));
  map.translate_y = std::nearbyint(draw_uniform(generator, -most_y, most_y));
  map.scale = draw_uniform(generator, range.scale.first, range.scale.second);
  return map;
}

torch::Tensor apply_affine(const torch::Tensor& image, const AffineMap& map) {
  detail::check_image(image, "image of an affine map");
  const auto source = image.contiguous();
  auto result = torch::empty_like(source);
  const auto from = detail::as_mat(source);
  auto to = detail::as_mat(result);

  // From a place of the result back to its source: undo the translation, the zoom and the turn.
  const double radians = map.angle * CV_PI / 180;
  const double c = std::cos(radians) / map.scale;
  const double s = std::sin(radians) / map.scale;
  const double centre_x = (from.cols - 1) * 0.5;
  const double centre_y = (from.rows - 1) * 0.5;
  const double x = centre_x + map.translate_x;
  const double y = centre_y + map.translate_y;
  const cv::Matx23d inverse(c, s, centre_x - c * x - s * y, -s, c, centre_y + s * x - c * y);
  cv::warpAffine(
      from, to, inverse, to.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_CONSTANT);
  return result;
}

}  // namespace vitrine
