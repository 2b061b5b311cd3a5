#pragma once

#include <torch/types.h>

#include <opencv2/core/mat.hpp>

#include "vitrine/export.h"

namespace vitrine {

/// A copy of `image` as uint8 [H, W, 3] RGB. `image` has 8 or 16 bits a channel, of which the
/// higher 8 are kept, and one channel (grey), three (BGR) or four (BGRA, whose A is dropped), as
/// OpenCV reads them; its rows may lie apart. Throws c10::ValueError on any other type and on an
/// empty image.
///
/// The one header of vitrine that needs OpenCV's.
VITRINE_API torch::Tensor image_from_mat(const cv::Mat& image);

}  // namespace vitrine
