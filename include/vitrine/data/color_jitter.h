#pragma once

#include <ATen/core/Generator.h>
#include <torch/types.h>

#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Random changes of brightness, contrast, saturation and hue, in random order, as torchvision's
/// ColorJitter draws and Pillow carries them out.
class VITRINE_API ColorJitter {
 public:
  /// One number for brightness, contrast and saturation, or three for each, or four with that of
  /// the hue. The first three multiply by a factor drawn from 1 - f, but at least 0, to 1 + f; the
  /// last one, at most 0.5, turns the hue either way by up to that share of the circle. No number
  /// changes nothing. Throws c10::ValueError on any others.
  explicit ColorJitter(const std::vector<double>& strengths);

  /// uint8 [H, W, 3] to the same. What is random comes from `generator` alone.
  torch::Tensor operator()(const torch::Tensor& image, at::Generator& generator) const;

 private:
  std::vector<double> strengths_;  // of brightness, contrast, saturation, hue; none or all four
};

}  // namespace vitrine
