#include "vitrine/data/auto_augment.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/text.h"

#include "data/auto_augment_text.h"
#include "data/image_mat.h"

namespace vitrine {
namespace {

using detail::AugmentPolicy;
using detail::AugmentStep;

detail::Sampling sampling_of(Interpolation filter) {
  return filter == Interpolation::Bicubic    ? detail::Sampling::Bicubic
         : filter == Interpolation::Bilinear ? detail::Sampling::Bilinear
                                             : detail::Sampling::Nearest;
}

/// Index of the weight in which `place`, from 0 to the sum of all, lies.
std::size_t weighted_index(const std::vector<double>& weights, double place) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) {
      last = i;
      place -= weights[i];
      if (place < 0) {
        break;
      }
    }
  }
  return last;
}

std::vector<std::size_t> draw_choices(const AugmentPolicy& policy, at::Generator& generator) {
  auto weights = policy.weights;
  std::vector<std::size_t> chosen;
  for (int64_t i = 0; i < policy.count; ++i) {
    if (weights.empty()) {
      const auto count = static_cast<int64_t>(policy.choices.size());
      chosen.push_back(static_cast<std::size_t>(draw_index(generator, count)));
    } else {
      const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
      chosen.push_back(weighted_index(weights, draw_uniform(generator, 0, sum)));
      weights[chosen.back()] = 0;
    }
  }
  return chosen;
}

double draw_level(const AugmentPolicy& policy, double level, at::Generator& generator) {
  if (policy.bins > 0) {
    return static_cast<double>(draw_index(generator, policy.bins));
  }
  if (std::isinf(policy.level_std)) {
    level = draw_uniform(generator, 0, level);
  } else if (policy.level_std > 0) {
    level += policy.level_std * draw_normal(generator);
  }
  return std::clamp(level, 0.0, policy.highest_level);
}

}  // namespace

AutoAugment::AutoAugment(const std::string& text, AutoAugmentOptions options)
    : options_(std::move(options)) {
  const auto expected = expected_auto_augment(text);
  TORCH_CHECK_VALUE(expected.empty(), "aa: got ", printable(text), ", expected ", expected);
  const auto& filters = options_.interpolation();
  TORCH_CHECK_VALUE(!filters.empty(), "interpolation of aa has to name a filter");
  policy_ = std::make_shared<const AugmentPolicy>(detail::parse_augment_policy(text));
}

torch::Tensor AutoAugment::operator()(const torch::Tensor& image, at::Generator& generator) const {
  detail::check_image(image, "image of aa");
  const auto source = image.contiguous();
  const auto side = static_cast<int>(std::min(source.size(0), source.size(1)));
  const auto& filters = options_.interpolation();
  auto result = detail::as_mat(source);
  const auto apply = [&](const AugmentStep& step) {
    if (step.probability < 1 && draw_uniform(generator, 0, 1) > step.probability) {
      return;
    }
    const auto level = draw_level(*policy_, step.level, generator);
    const auto drawn = step.op->random ? draw_uniform(generator, 0, 1) : 0.0;
    const auto filter = filters[static_cast<std::size_t>(
        draw_index(generator, static_cast<int64_t>(filters.size())))];
    const auto style =
        policy_->style.value_or(detail::WarpStyle{sampling_of(filter), options_.fill()});
    result = step.op->apply(result, step.op->argument(level, drawn, side), style);
  };
  for (const auto choice : draw_choices(*policy_, generator)) {
    for (const auto& step : policy_->choices[choice]) {
      apply(step);
    }
  }
  return result.data == source.data_ptr() ? source : detail::as_tensor(result);
}

std::string expected_auto_augment(const std::string& text) {
  try {
    detail::parse_augment_policy(text);
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

}  // namespace vitrine
