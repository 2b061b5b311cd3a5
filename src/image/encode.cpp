#include "encode.h"

#include <c10/util/Exception.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace vitrine::detail {
namespace {

std::vector<std::uint8_t> encode(
    const torch::Tensor& image, const char* extension, const std::vector<int>& parameters) {
  TORCH_CHECK_VALUE(
      image.dim() == 3 && image.size(2) == 3 && image.scalar_type() == torch::kUInt8 &&
          image.numel() > 0,
      "image to encode has to be uint8 [H, W, 3], but got ",
      image.scalar_type(),
      " ",
      image.sizes());
  const auto pixels = image.to(torch::kCPU).contiguous();
  const cv::Mat rgb(
      static_cast<int>(pixels.size(0)),
      static_cast<int>(pixels.size(1)),
      CV_8UC3,
      pixels.mutable_data_ptr<std::uint8_t>());
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  TORCH_CHECK(cv::imencode(extension, bgr, bytes, parameters), "OpenCV writes no ", extension);
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> encode_png(const torch::Tensor& image) {
  return encode(image, ".png", {cv::IMWRITE_PNG_COMPRESSION, 6});
}

std::vector<std::uint8_t> encode_jpeg(const torch::Tensor& image, int quality) {
  return encode(image, ".jpg", {cv::IMWRITE_JPEG_QUALITY, quality});
}

}  // namespace vitrine::detail
