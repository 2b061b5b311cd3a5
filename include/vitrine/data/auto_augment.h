#pragma once

#include <ATen/core/Generator.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/image/preprocess.h"

namespace vitrine {

namespace detail {
struct AugmentPolicy;
}  // namespace detail

/// Red, green and blue.
using Colour = std::array<std::uint8_t, 3>;

/// How the operations of `AutoAugment` turn, shear and move an image.
struct AutoAugmentOptions {
  /// Colour of what they leave uncovered.
  TORCH_ARG(Colour, fill) = {128, 128, 128};
  /// Filters, one of which is drawn for each operation; bilinear, bicubic or nearest.
  TORCH_ARG(std::vector<Interpolation>, interpolation) = {
      Interpolation::Bilinear, Interpolation::Bicubic};
};

/// A policy of random operations on images: RandAugment, AutoAugment or 3-Augment as timm 1.0.31
/// carries them out, or TrivialAugment as torchvision 0.26 does; every operation gives what it
/// gives by Pillow 12.3, value by value.
///
/// The text is timm's, parts of it between dashes:
///   rand[-mM][-nN][-pP][-mstdS][-mmaxL][-inc1][-tSET]
///     N operations drawn, each carried out with probability P at level M, of which the deviation
///     is S (above 100: levels from 0 to M evenly) and the largest L; inc1: the forms whose effect
///     grows with the level; SET: weights, 3a or 3aw
///   original, originalr, v0, v0r, 3a, each also with -mstdS
///     one of the policy's sub-policies drawn
///   ta_wide
///     one operation drawn, at a level drawn evenly; always nearest, on black
class VITRINE_API AutoAugment {
 public:
  /// Throws c10::ValueError on a text that is no policy, and on no or other filters.
  explicit AutoAugment(const std::string& text, AutoAugmentOptions options = {});

  /// uint8 [H, W, 3] to the same. What is random comes from `generator` alone.
  torch::Tensor operator()(const torch::Tensor& image, at::Generator& generator) const;

 private:
  std::shared_ptr<const detail::AugmentPolicy> policy_;
  AutoAugmentOptions options_;
};

/// What `text` should have been to be a policy of `AutoAugment`, naming the part that is wrong;
/// empty where nothing is.
VITRINE_API std::string expected_auto_augment(const std::string& text);

}  // namespace vitrine
