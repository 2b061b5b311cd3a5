#include "data/image_mat.h"

#include <ATen/ops/from_blob.h>

namespace vitrine::detail {

void check_image(const torch::Tensor& image, const char* what) {
  TORCH_CHECK_VALUE(
      image.dim() == 3 && image.size(2) == 3 && image.scalar_type() == torch::kUInt8 &&
          image.numel() > 0,
      what,
      " has to be uint8 [H, W, 3], but got ",
      image.scalar_type(),
      " ",
      image.sizes());
}

cv::Mat as_mat(const torch::Tensor& image) {
  return {
      static_cast<int>(image.size(0)),
      static_cast<int>(image.size(1)),
      CV_8UC3,
      image.data_ptr<std::uint8_t>()};
}

torch::Tensor as_tensor(const cv::Mat& image) {
  const auto held = image.isContinuous() ? image : image.clone();
  return at::from_blob(
      held.data, {held.rows, held.cols, 3}, [held](void*) {}, at::TensorOptions(at::kByte));
}

}  // namespace vitrine::detail
