#include "vitrine/train/mixup.h"

#include <ATen/ops/_standard_gamma.h>

#include <algorithm>
#include <cmath>

#include "vitrine/data/random.h"

#include "name_table.h"

namespace vitrine {
namespace {

const detail::NameTable<MixupMode>& modes() {
  static const detail::NameTable<MixupMode> table = {
      {MixupMode::Batch, "batch"}, {MixupMode::Pair, "pair"}, {MixupMode::Elem, "elem"}};
  return table;
}

void check_alpha(const char* name, double value) {
  TORCH_CHECK_VALUE(
      std::isfinite(value) && value >= 0, name, " has to be at least 0, but got ", value);
}

void check_probability(const char* name, double value) {
  TORCH_CHECK_VALUE(value >= 0 && value <= 1, name, " has to be between 0 and 1, but got ", value);
}

bool cuts(const MixupOptions& options) {
  return options.cutmix() > 0 || options.cutmix_minmax();
}

/// A number of the beta distribution with both parameters `alpha`, above 0.
double draw_beta(at::Generator& generator, double alpha) {
  const auto draws = at::_standard_gamma(torch::full({2}, alpha, torch::kFloat64), generator);
  const auto first = draws[0].item<double>();
  return first / (first + draws[1].item<double>());
}

/// A side from `low` to just below `high`, shares of `size`, and where it begins.
std::pair<int64_t, int64_t> draw_side(
    at::Generator& generator, int64_t size, const Bounds& minmax) {
  const auto least = static_cast<int64_t>(static_cast<double>(size) * minmax.first);
  const auto most = static_cast<int64_t>(static_cast<double>(size) * minmax.second);
  const auto length = least + draw_index(generator, std::max<int64_t>(most - least, 1));
  return {draw_index(generator, size - length + 1), length};
}

CutBox draw_box(
    const MixupOptions& options,
    at::Generator& generator,
    int64_t height,
    int64_t width,
    double lam) {
  if (options.cutmix_minmax()) {
    const auto [top, rows] = draw_side(generator, height, *options.cutmix_minmax());
    const auto [left, columns] = draw_side(generator, width, *options.cutmix_minmax());
    return {top, top + rows, left, left + columns};
  }
  const auto y = draw_index(generator, height);
  return cut_box(height, width, lam, y, draw_index(generator, width));
}

Mix draw_mix(const MixupOptions& options, at::Generator& generator, int64_t height, int64_t width) {
  Mix mix;
  if (draw_uniform(generator, 0, 1) >= options.mixup_prob()) {
    return mix;
  }
  const bool both = cuts(options) && options.mixup() > 0;
  if (both ? draw_uniform(generator, 0, 1) >= options.mixup_switch_prob() : !cuts(options)) {
    mix.lam = draw_beta(generator, options.mixup());
    return mix;
  }
  const auto lam = options.cutmix_minmax() ? 1.0 : draw_beta(generator, options.cutmix());
  const auto box = draw_box(options, generator, height, width, lam);
  const auto area = (box.bottom - box.top) * (box.right - box.left);
  mix.lam = 1 - static_cast<double>(area) / static_cast<double>(height * width);
  mix.box = box;
  return mix;
}

/// Changes `own`, images [..., H, W], by the mix with `other`.
void mix_into(const torch::Tensor& own, const torch::Tensor& other, const Mix& mix) {
  if (mix.lam == 1) {
    return;
  }
  if (!mix.box) {
    own.mul_(mix.lam).add_(other, 1 - mix.lam);
    return;
  }
  const auto part = [&](const torch::Tensor& images) {
    return images.slice(-2, mix.box->top, mix.box->bottom).slice(-1, mix.box->left, mix.box->right);
  };
  part(own).copy_(part(other));
}

}  // namespace

std::string to_string(MixupMode mode) {
  return detail::name_of(modes(), mode);
}

MixupMode parse_mixup_mode(const std::string& name) {
  return detail::value_of(modes(), "mode of mixup", name);
}

void check_options(const MixupOptions& options) {
  check_alpha("mixup", options.mixup());
  check_alpha("cutmix", options.cutmix());
  check_probability("mixup_prob", options.mixup_prob());
  check_probability("mixup_switch_prob", options.mixup_switch_prob());
  if (options.cutmix_minmax()) {
    const auto [low, high] = *options.cutmix_minmax();
    TORCH_CHECK_VALUE(
        low >= 0 && low < high && high <= 1,
        "cutmix_minmax has to ascend between 0 and 1, but got ",
        low,
        " and ",
        high);
  }
  TORCH_CHECK_VALUE(
      options.mixup_off_epoch() >= 0,
      "mixup_off_epoch has to be at least 0, but got ",
      options.mixup_off_epoch());
}

bool mixes(const MixupOptions& options, int64_t epoch) {
  return (options.mixup() > 0 || cuts(options)) &&
         (options.mixup_off_epoch() == 0 || epoch <= options.mixup_off_epoch());
}

CutBox cut_box(int64_t height, int64_t width, double lam, int64_t center_y, int64_t center_x) {
  const double ratio = std::sqrt(1 - lam);
  const auto rows = static_cast<int64_t>(static_cast<double>(height) * ratio);
  const auto columns = static_cast<int64_t>(static_cast<double>(width) * ratio);
  const auto clipped = [](int64_t place, int64_t size) {
    return std::clamp(place, int64_t{0}, size);
  };
  return {
      clipped(center_y - rows / 2, height),
      clipped(center_y + (rows + 1) / 2, height),
      clipped(center_x - columns / 2, width),
      clipped(center_x + (columns + 1) / 2, width)};
}

std::vector<Mix> draw_mixes(
    const MixupOptions& options,
    at::Generator& generator,
    int64_t batch,
    int64_t height,
    int64_t width) {
  TORCH_CHECK_VALUE(
      options.mixup() > 0 || cuts(options), "there is nothing to mix: mixup and cutmix are 0");
  if (options.mixup_mode() == MixupMode::Batch) {
    return {draw_mix(options, generator, height, width)};
  }
  std::vector<Mix> result(static_cast<std::size_t>(batch));
  const bool pairs = options.mixup_mode() == MixupMode::Pair;
  for (std::size_t i = 0; i < (pairs ? result.size() / 2 : result.size()); ++i) {
    result[i] = draw_mix(options, generator, height, width);
    if (pairs) {
      result[result.size() - 1 - i] = result[i];
    }
  }
  return result;
}

torch::Tensor mix_images(const torch::Tensor& images, const std::vector<Mix>& mixes) {
  const auto count = static_cast<int64_t>(mixes.size());
  TORCH_CHECK_VALUE(
      images.dim() == 4 && (count == 1 || count == images.size(0)),
      "images [B, C, H, W] and mixes, one or B, have to agree, but got ",
      images.sizes(),
      " and ",
      count);
  const auto partners = images.flip(0);
  auto mixed = images.clone();
  if (count == 1) {
    mix_into(mixed, partners, mixes.front());
    return mixed;
  }
  for (int64_t i = 0; i < count; ++i) {
    mix_into(mixed[i], partners[i], mixes[static_cast<std::size_t>(i)]);
  }
  return mixed;
}

torch::Tensor mix_targets(const torch::Tensor& targets, const std::vector<Mix>& mixes) {
  std::vector<double> shares;
  for (const auto& mix : mixes) {
    shares.push_back(mix.lam);
  }
  const auto lam = torch::tensor(shares, torch::kFloat64).to(targets.options()).unsqueeze(1);
  return targets * lam + targets.flip(0) * (1 - lam);
}

}  // namespace vitrine
