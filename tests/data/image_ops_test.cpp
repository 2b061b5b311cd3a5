#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/blur_ops.h"
#include "data/colour_ops.h"
#include "data/point_ops.h"
#include "data/warp_ops.h"
#include "support/picture.h"

namespace vitrine::detail {
namespace {

using Operation = std::function<cv::Mat(const cv::Mat&, double, const WarpStyle&)>;

Operation plain(cv::Mat (*apply)(const cv::Mat&)) {
  return [apply](const cv::Mat& image, double, const WarpStyle&) { return apply(image); };
}

template <typename Argument>
Operation by_argument(cv::Mat (*apply)(const cv::Mat&, Argument)) {
  return [apply](const cv::Mat& image, double argument, const WarpStyle&) {
    return apply(image, static_cast<Argument>(argument));
  };
}

template <typename Matrix>
Operation warping(Matrix matrix) {
  return [matrix](const cv::Mat& image, double argument, const WarpStyle& style) {
    return warp(image, matrix(argument, image), style);
  };
}

/// The operations by the names in golden/image_ops.json.
std::map<std::string, Operation> operations() {
  return {
      {"autocontrast", plain(autocontrast)},
      {"equalize", plain(equalize)},
      {"invert", plain(invert)},
      {"grey", plain(grey)},
      {"posterize", by_argument(posterize)},
      {"solarize", by_argument(solarize)},
      {"solarize_add", by_argument(solarize_add)},
      {"brightness", by_argument(adjust_brightness)},
      {"contrast", by_argument(adjust_contrast)},
      {"saturation", by_argument(adjust_saturation)},
      {"hue", by_argument(adjust_hue)},
      {"sharpness", by_argument(adjust_sharpness)},
      {"gaussian_blur", by_argument(gaussian_blur)},
      {"convolve_gaussian",
       [](const cv::Mat& image, double a, const WarpStyle&) {
         return convolve_gaussian(image, 23, a);
       }},
      {"rotate", rotate},
      {"shear_x", warping([](double a, const cv::Mat&) {
         return WarpMatrix{1, a, 0, 0, 1, 0};
       })},
      {"shear_y", warping([](double a, const cv::Mat&) {
         return WarpMatrix{1, 0, 0, a, 1, 0};
       })},
      {"translate_x", warping([](double a, const cv::Mat&) {
         return WarpMatrix{1, 0, a, 0, 1, 0};
       })},
      {"translate_y", warping([](double a, const cv::Mat&) {
         return WarpMatrix{1, 0, 0, 0, 1, a};
       })},
      {"translate_x_rel", warping([](double a, const cv::Mat& image) {
         return WarpMatrix{1, 0, a * image.cols, 0, 1, 0};
       })},
      {"translate_y_rel", warping([](double a, const cv::Mat& image) {
         return WarpMatrix{1, 0, 0, 0, 1, a * image.rows};
       })}};
}

cv::Mat image_of(const nlohmann::json& picture) {
  const auto height = picture[0].get<int>();
  const auto width = picture[1].get<int>();
  auto values = draw_picture(height, width, picture[2].get<std::uint32_t>());
  for (auto& value : values) {
    value = static_cast<std::uint8_t>(value / picture[3].get<int>() + picture[4].get<int>());
  }
  return cv::Mat(height, width, CV_8UC3, values.data()).clone();
}

Sampling sampling_of(const std::string& name) {
  return name == "bicubic"    ? Sampling::Bicubic
         : name == "bilinear" ? Sampling::Bilinear
                              : Sampling::Nearest;
}

TEST(ImageOps, EqualPillowInEveryValue) {
  std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/image_ops.json");
  const auto golden = nlohmann::json::parse(file);
  const auto known = operations();
  const auto step = golden["step"].get<std::size_t>();
  ASSERT_GT(golden["cases"].size(), 300U);
  for (const auto& one : golden["cases"]) {
    SCOPED_TRACE(
        one["op"].dump() + " by " + one["argument"].dump() + " " + one["sampling"].dump() + " of " +
        one["picture"].dump());
    const WarpStyle style{
        sampling_of(one["sampling"]), golden["fill"].get<std::array<std::uint8_t, 3>>()};
    const auto result =
        known.at(one["op"])(image_of(one["picture"]), one["argument"].get<double>(), style);
    ASSERT_TRUE(result.isContinuous());
    const auto size = result.total() * result.elemSize();
    ASSERT_EQ(
        size, one["picture"][0].get<std::size_t>() * one["picture"][1].get<std::size_t>() * 3);
    int worst = 0;
    for (std::size_t i = 0; i < one["values"].size(); ++i) {
      worst = std::max(worst, std::abs(result.data[i * step] - one["values"][i].get<int>()));
    }
    if (one["op"] == "convolve_gaussian") {
      EXPECT_LE(worst, 1);
      continue;
    }
    EXPECT_EQ(worst, 0);
    EXPECT_EQ(std::to_string(picture_hash(result.data, size)), one["hash"].get<std::string>());
  }
}

}  // namespace
}  // namespace vitrine::detail
