#include "vitrine/image/opencv.h"

#include <c10/util/Exception.h>

#include <cstdint>

namespace vitrine {
namespace {

/// Writes one row of RGB.
void copy_row(const cv::Mat& image, int y, std::uint8_t* out) {
  const int channels = image.channels();
  const bool wide = image.depth() == CV_16U;
  const int blue = 0;
  const int green = channels == 1 ? 0 : 1;
  const int red = channels == 1 ? 0 : 2;
  for (int x = 0; x < image.cols; ++x, out += 3) {
    if (wide) {
      const auto* pixel = image.ptr<std::uint16_t>(y) + x * channels;
      out[0] = static_cast<std::uint8_t>(pixel[red] >> 8);
      out[1] = static_cast<std::uint8_t>(pixel[green] >> 8);
      out[2] = static_cast<std::uint8_t>(pixel[blue] >> 8);
    } else {
      const auto* pixel = image.ptr<std::uint8_t>(y) + x * channels;
      out[0] = pixel[red];
      out[1] = pixel[green];
      out[2] = pixel[blue];
    }
  }
}

}  // namespace

torch::Tensor image_from_mat(const cv::Mat& image) {
  TORCH_CHECK_VALUE(
      image.dims == 2 && !image.empty(),
      "image_from_mat: expected an image of two dimensions that is not empty");
  const int channels = image.channels();
  TORCH_CHECK_VALUE(
      channels == 1 || channels == 3 || channels == 4,
      "image_from_mat: expected 1, 3 or 4 channels, got ",
      channels);
  TORCH_CHECK_VALUE(
      image.depth() == CV_8U || image.depth() == CV_16U,
      "image_from_mat: expected 8 or 16 unsigned bits a channel, got OpenCV depth ",
      image.depth());
  torch::Tensor result = torch::empty({image.rows, image.cols, 3}, torch::kUInt8);
  auto* out = result.data_ptr<std::uint8_t>();
  for (int y = 0; y < image.rows; ++y) {
    copy_row(image, y, out + std::int64_t{y} * image.cols * 3);
  }
  return result;
}

}  // namespace vitrine
