#include "vitrine/image/image.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <string>

#include "vitrine/error.h"

#include "image/fixtures.h"
#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

std::string error_of(const std::string& path) {
  try {
    read_image(path);
  } catch (const ImageError& error) {
    return error.what();
  }
  return "";
}

int64_t worst_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kInt) - b.to(torch::kInt)).abs().max().item<int64_t>();
}

TEST(ReadImage, GivesWhatPillowGivesForEveryKindOfFile) {
  int compared = 0;
  for (const auto& name : image_names()) {
    if (!has_expected_image(name)) {
      continue;
    }
    SCOPED_TRACE(name);
    const auto expected = expected_image(name);
    const auto image = read_image(image_path(name));
    ASSERT_EQ(image.sizes(), expected.sizes());
    ASSERT_EQ(image.scalar_type(), torch::kUInt8);
    ASSERT_TRUE(image.is_contiguous());
    // OpenCV multiplies inks with 8 bits of precision; all the rest is exact.
    const bool inks = name.find("cmyk") == 0 || name.find("ycck") == 0;
    EXPECT_LE(
        worst_difference(image, expected), inks && name.find(".tif") == std::string::npos ? 2 : 0);
    ++compared;
  }
  EXPECT_GE(compared, 90);
}

TEST(ReadImage, TurnsAllEightOrientationsUpright) {
  // The same picture stored plainly: orientation 1 is read as stored, and 6 is a quarter turn of
  // it.
  for (const std::string kind : {".png", ".webp", ".tif"}) {
    const auto upright = read_image(image_path("orientation_1" + kind));
    const std::vector<torch::Tensor> expected = {
        upright,
        upright.flip(1),
        upright.flip({0, 1}),
        upright.flip(0),
        upright.transpose(0, 1),
        upright.flip(0).transpose(0, 1),
        upright.flip({0, 1}).transpose(0, 1),
        upright.flip(1).transpose(0, 1)};
    for (size_t i = 0; i < expected.size(); ++i) {
      const std::string name = "orientation_" + std::to_string(i + 1) + kind;
      EXPECT_TRUE(read_image(image_path(name)).equal(expected[i])) << name;
    }
  }
}

TEST(ReadImage, PrintsNothingAboutSoundFiles) {
  const CapturedStandardError captured;
  for (const auto& name : image_names()) {
    if (has_expected_image(name)) {
      read_image(image_path(name));
    }
  }
  EXPECT_EQ(captured.text(), "");
}

TEST(ReadImage, RefusesWhatItCannotShowWhole) {
  EXPECT_NE(
      error_of(image_path("animated.webp")).find("animated, which is not supported"),
      std::string::npos);
  EXPECT_NE(
      error_of(image_path("picture.gif")).find("a GIF; expected JPEG, PNG, WebP, BMP or TIFF"),
      std::string::npos);
}

TEST(ReadImage, NamesTheFileInItsErrors) {
  const TemporaryFolder folder;
  const std::string path = folder / "notes.png";
  write_file_atomically(path, [](File& file) { file.write("this is no picture"); });
  EXPECT_EQ(
      error_of(path),
      path + ": not a supported image: text; expected JPEG, PNG, WebP, BMP or TIFF");
}

TEST(ReadImage, RefusesAMissingFileAndAFolder) {
  const TemporaryFolder folder;
  expect_refusal(
      [&] { read_image(folder / "none.jpg"); },
      folder / "none.jpg: ",
      {"cannot open: No such file or directory"});
  expect_refusal(
      [&] { read_image(folder.path()); }, folder.path() + ": ", {"is a folder, expected a file"});
}

TEST(ReadImage, HonoursTheLimitOfPixels) {
  for (const std::string name :
       {"baseline_444.jpg", "rgba.png", "lossy.webp", "rgb.bmp", "plain.tif"}) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(read_image(image_path(name), 21 * 13));
    expect_refusal<ImageError>(
        [&] { read_image(image_path(name), 21 * 13 - 1); },
        image_path(name) + ": ",
        {"pixels is larger than the limit of 272 pixels"});
  }
}

}  // namespace
}  // namespace vitrine
