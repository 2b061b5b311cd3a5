#include "vitrine/image/opencv.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdint>

namespace vitrine {
namespace {

TEST(ImageFromMat, TurnsBgrIntoRgbAndDropsAlpha) {
  const cv::Mat bgra(1, 2, CV_8UC4, cv::Scalar(10, 20, 30, 40));
  const auto image = image_from_mat(bgra);
  EXPECT_TRUE(image.equal(torch::tensor({30, 20, 10, 30, 20, 10}, torch::kUInt8).view({1, 2, 3})));
  EXPECT_TRUE(image_from_mat(cv::Mat(1, 2, CV_8UC3, cv::Scalar(10, 20, 30))).equal(image));
}

TEST(ImageFromMat, RepeatsGreyAndKeepsTheHighByteOf16Bits) {
  const cv::Mat grey(1, 1, CV_16UC1, cv::Scalar(0x12ff));
  EXPECT_TRUE(image_from_mat(grey).eq(0x12).all().item<bool>());
}

TEST(ImageFromMat, CopiesAViewWhoseRowsLieApart) {
  cv::Mat image(6, 8, CV_8UC3);
  for (int i = 0; i < 6 * 8 * 3; ++i) {
    image.data[i] = static_cast<std::uint8_t>(i);
  }
  const auto whole = image_from_mat(image);
  const auto part = image_from_mat(image(cv::Rect(2, 1, 3, 4)));
  EXPECT_TRUE(part.equal(whole.slice(0, 1, 5).slice(1, 2, 5)));
  image.setTo(cv::Scalar(0));
  EXPECT_EQ(part.sum().item<int64_t>(), whole.slice(0, 1, 5).slice(1, 2, 5).sum().item<int64_t>());
  EXPECT_GT(part.sum().item<int64_t>(), 0);
}

TEST(ImageFromMat, RefusesOtherTypesAndEmptyImages) {
  EXPECT_THROW(image_from_mat(cv::Mat()), c10::ValueError);
  EXPECT_THROW(image_from_mat(cv::Mat(2, 2, CV_32FC3)), c10::ValueError);
  EXPECT_THROW(image_from_mat(cv::Mat(2, 2, CV_8UC2)), c10::ValueError);
}

}  // namespace
}  // namespace vitrine
