#include "export_sizes.h"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace vitrine::detail {
namespace {

using Sides = std::array<std::int64_t, 2>;
using Answers = std::function<bool(const Sides&)>;

/// "expected 224 or 448, ...": of the square sizes that are multiples of `step` those next to
/// `size` at which the answers are the same.
std::string nearest_sizes(const Sides& size, std::int64_t step, const Answers& alike) {
  constexpr std::int64_t kLargest = 1 << 14;
  const auto start = std::max(size[0], size[1]) / step * step;
  const auto find = [&](std::int64_t from, std::int64_t by) -> std::int64_t {
    for (auto side = from; side > 0 && side <= kLargest; side += by) {
      if (alike({side, side})) {
        return side;
      }
    }
    return 0;
  };
  const auto below = find(start, -step);
  const auto above = find(start + step, step);
  const auto text = [](std::int64_t side) { return std::to_string(side); };
  return below == 0 && above == 0 ? "no size does"
         : below == 0             ? "the nearest size that does is " + text(above)
         : above == 0             ? "the nearest size that does is " + text(below)
                      : "the nearest sizes that do are " + text(below) + " and " + text(above);
}

std::string text_of(const Sides& size) {
  return std::to_string(size[0]) + "x" + std::to_string(size[1]);
}

/// Whether a library treats a stage's map with windows of side `window` as vitrine does.
using SameWindows = bool (*)(const Sides& map, std::int64_t window);

/// Those of torchvision, which pads a map before it shifts it and never makes a window smaller: the
/// windows fill the map.
bool fills_whole_windows(const Sides& map, std::int64_t window) {
  return map[0] >= window && map[1] >= window && map[0] % window == 0 && map[1] % window == 0;
}

/// Those of transformers' Swin and Swin V2. Both shift a map in both directions or in none; the
/// second makes a window as small as a square map.
bool is_shifted_as_a_whole(const Sides& map, std::int64_t window) {
  return fills_whole_windows(map, window) && (map[0] > window) == (map[1] > window);
}
bool is_shifted_as_a_whole_or_one_window(const Sides& map, std::int64_t window) {
  return is_shifted_as_a_whole(map, window) || (map[0] == map[1] && map[0] < window);
}

bool any_windows(const Sides& /*map*/, std::int64_t /*window*/) {
  return true;
}

SameWindows same_windows_of(const std::string& layout) {
  return layout == "torchvision Swin" || layout == "torchvision Swin V2" ? fills_whole_windows
         : layout == "Hugging Face Swin"                                 ? is_shifted_as_a_whole
         : layout == "Hugging Face Swin V2" ? is_shifted_as_a_whole_or_one_window
                                            : any_windows;
}

}  // namespace

std::string size_misfit(const SwinTransformerOptions& options, const std::string& layout) {
  const auto same = same_windows_of(layout);
  const auto window = options.window_size().front();
  const auto alike = [&](const Sides& size) {
    Sides map{size[0] / options.patch_size(), size[1] / options.patch_size()};
    for (std::size_t stage = 0; stage < options.depths().size(); ++stage) {
      if (!same(map, window)) {
        return false;
      }
      map = {(map[0] + 1) / 2, (map[1] + 1) / 2};
    }
    return true;
  };
  const Sides size{options.img_size()[0], options.img_size()[1]};
  if (alike(size)) {
    return "";
  }
  return "its Swin answers alike only where windows of " + std::to_string(window) +
         " fill each stage's map, which those of " + text_of(size) + " pixels do not; " +
         nearest_sizes(size, options.patch_size(), alike);
}

std::string size_misfit(const MobileVitOptions& options, const Sides& img_size) {
  const auto smaller = [](std::int64_t side, std::int64_t stride) {
    return (side + stride - 1) / stride;
  };
  const auto first = options.channels().size() - options.transformer_dims().size();
  const auto alike = [&](const Sides& size) {
    Sides map{smaller(size[0], options.stem_stride()), smaller(size[1], options.stem_stride())};
    for (std::size_t stage = 0; stage < options.strides().size(); ++stage) {
      map = {smaller(map[0], options.strides()[stage]), smaller(map[1], options.strides()[stage])};
      if (stage >= first && (map[0] % options.patch_size() + map[1] % options.patch_size()) != 0) {
        return false;
      }
    }
    return true;
  };
  if (options.version() == 1 || alike(img_size)) {
    return "";
  }
  return "its MobileViT V2 needs even maps before each transformer, which those of " +
         text_of(img_size) + " pixels are not; " + nearest_sizes(img_size, 1, alike);
}

}  // namespace vitrine::detail
