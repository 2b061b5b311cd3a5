#include "vitrine/data/random_erasing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "vitrine/data/random.h"
#include "vitrine/error.h"

#include "data/option_checks.h"

namespace vitrine {
namespace {

const std::array<std::pair<const char*, EraseMode>, 3> kModes = {
    {{"const", EraseMode::Const}, {"rand", EraseMode::Rand}, {"pixel", EraseMode::Pixel}}};

void fill_box(const torch::Tensor& box, EraseMode mode, at::Generator& generator) {
  if (mode == EraseMode::Const) {
    box.zero_();
  } else if (mode == EraseMode::Rand) {
    box.copy_(torch::empty({box.size(0), 1, 1}, box.options()).normal_(0, 1, generator));
  } else {
    box.copy_(torch::empty(box.sizes(), box.options()).normal_(0, 1, generator));
  }
}

}  // namespace

std::string to_string(EraseMode mode) {
  const auto found = std::find_if(
      kModes.begin(), kModes.end(), [mode](const auto& entry) { return entry.second == mode; });
  return found->first;
}

EraseMode parse_erase_mode(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, mode] : kModes) {
    if (known == name) {
      return mode;
    }
    names.emplace_back(known);
  }
  throw UnknownNameError("mode of random erasing", name, names);
}

void check_options(const RandomErasingOptions& options) {
  detail::check_probability("reprob", options.probability());
  TORCH_CHECK_VALUE(
      options.count() >= 1 && options.count() <= 100,
      "recount has to be between 1 and 100, but got ",
      options.count());
  detail::check_bounds("re_area", options.area(), 1e-6, 1);
  detail::check_bounds("re_aspect", options.aspect(), 1e-4, 1e4);
}

std::optional<CropBox> erased_box(int64_t height, int64_t width, double share, double aspect) {
  const double area = share * static_cast<double>(height * width);
  const auto h = static_cast<int64_t>(std::nearbyint(std::sqrt(area * aspect)));
  const auto w = static_cast<int64_t>(std::nearbyint(std::sqrt(area / aspect)));
  return h < height && w < width ? std::optional(CropBox{0, 0, h, w}) : std::nullopt;
}

RandomErasing::RandomErasing(const RandomErasingOptions& options) : options_(options) {
  check_options(options_);
}

void RandomErasing::operator()(torch::Tensor& image, at::Generator& generator) const {
  TORCH_CHECK_VALUE(
      image.dim() == 3 && image.scalar_type() == torch::kFloat32 && image.is_contiguous(),
      "image to erase from has to be contiguous float32 [C, H, W], but got ",
      image.scalar_type(),
      " ",
      image.sizes());
  if (draw_uniform(generator, 0, 1) >= options_.probability()) {
    return;
  }
  const auto height = image.size(1);
  const auto width = image.size(2);
  const auto& [least, most] = options_.area();
  const auto low = std::log(options_.aspect().first);
  const auto high = std::log(options_.aspect().second);
  const auto count = 1 + draw_index(generator, options_.count());
  for (int64_t i = 0; i < count; ++i) {
    for (int attempt = 0; attempt < 10; ++attempt) {
      const auto share = draw_uniform(generator, least, most) / static_cast<double>(count);
      const auto aspect = std::exp(draw_uniform(generator, low, high));
      if (const auto box = erased_box(height, width, share, aspect)) {
        const auto top = draw_index(generator, height - box->height + 1);
        const auto left = draw_index(generator, width - box->width + 1);
        fill_box(
            image.narrow(1, top, box->height).narrow(2, left, box->width),
            options_.mode(),
            generator);
        break;
      }
    }
  }
}

}  // namespace vitrine
