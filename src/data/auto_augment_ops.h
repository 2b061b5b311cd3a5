#pragma once

#include <opencv2/core/mat.hpp>

#include <string_view>

#include "data/warp_ops.h"

namespace vitrine::detail {

/// An operation of AutoAugment, RandAugment or TrivialAugment, and what its levels mean.
struct AugmentOp {
  std::string_view name;
  bool random;  // whether the argument depends on a number drawn evenly from [0, 1)
  /// The argument at a level, where `drawn` is that number, for an image whose shorter side is
  /// `side` pixels.
  double (*argument)(double level, double drawn, int side);
  cv::Mat (*apply)(const cv::Mat& image, double argument, const WarpStyle& style);
};

/// An operation by the name it has in timm 1.0.31 (`timm.data.auto_augment.LEVEL_TO_ARG`), whose
/// levels go from 0 to 10, or by "Trivial" and its name in torchvision's TrivialAugmentWide, whose
/// levels are its bins, from 0 to 30. Throws
/// std::out_of_range on any other.
const AugmentOp& find_augment_op(std::string_view name);

}  // namespace vitrine::detail
