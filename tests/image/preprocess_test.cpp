#include "vitrine/image/preprocess.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"

#include "support/picture.h"

namespace vitrine {
namespace {

torch::Tensor picture(int64_t height, int64_t width, uint32_t seed) {
  return torch::tensor(draw_picture(height, width, seed), torch::kUInt8).view({height, width, 3});
}

class Reader {
 public:
  explicit Reader(const std::string& name)
      : bytes_(read_file(std::string(VITRINE_TEST_DATA) + "/golden/" + name)) {}

  template <typename T>
  T next() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }
  bool at_end() const { return position_ == bytes_.size(); }

 private:
  std::vector<uint8_t> bytes_;
  std::size_t position_ = 0;
};

/// The bytes that were normalised, [H, W, 3].
torch::Tensor denormalize(const torch::Tensor& input, const PreprocessOptions& options) {
  std::vector<torch::Tensor> channels;
  for (size_t i = 0; i < 3; ++i) {
    channels.push_back(
        (input[static_cast<int64_t>(i)].to(torch::kDouble) * options.std()[i] + options.mean()[i]) *
        255);
  }
  return torch::stack(channels, 2).round().to(torch::kUInt8).contiguous();
}

TEST(Preprocess, EqualsPillowAndTimmOverManySizesFiltersAndCrops) {
  Reader golden("preprocess.bin");
  const auto cases = golden.next<uint32_t>();
  ASSERT_GE(cases, 220U);
  for (uint32_t i = 0; i < cases; ++i) {
    const auto in_height = golden.next<int32_t>();
    const auto in_width = golden.next<int32_t>();
    const auto seed = golden.next<int32_t>();
    PreprocessOptions options;
    options.height(golden.next<int32_t>());
    options.width(golden.next<int32_t>());
    options.crop_mode(static_cast<CropMode>(golden.next<int32_t>()));
    options.interpolation(static_cast<Interpolation>(golden.next<int32_t>()));
    const auto step = golden.next<int32_t>();
    options.crop_pct(golden.next<double>());
    options.mean({golden.next<double>(), golden.next<double>(), golden.next<double>()});
    const auto expected_hash = golden.next<uint64_t>();
    const auto count = golden.next<uint32_t>();
    SCOPED_TRACE(
        "case " + std::to_string(i) + ": " + std::to_string(in_height) + "x" +
        std::to_string(in_width) + " to " + std::to_string(options.height()) + "x" +
        std::to_string(options.width()) + ", " + to_string(options.crop_mode()) + ", " +
        to_string(options.interpolation()));

    const auto input =
        preprocess(picture(in_height, in_width, static_cast<uint32_t>(seed)), options);
    ASSERT_EQ(input.sizes(), (std::vector<int64_t>{3, options.height(), options.width()}));
    const auto bytes = denormalize(input, options);
    int worst = 0;
    for (uint32_t k = 0; k < count; ++k) {
      const int found = bytes.data_ptr<uint8_t>()[int64_t{k} * step];
      worst = std::max(worst, std::abs(found - golden.next<uint8_t>()));
    }
    EXPECT_EQ(worst, 0);
    EXPECT_EQ(
        picture_hash(bytes.data_ptr<uint8_t>(), static_cast<size_t>(bytes.numel())), expected_hash);
  }
  EXPECT_TRUE(golden.at_end());
}

TEST(Normalize, GivesTorchvisionsFloatsForEveryByte) {
  Reader golden("normalize.bin");
  const auto options = PreprocessOptions().mean({0.485, 0.456, 0.406}).std({0.229, 0.224, 0.225});
  const auto image = torch::arange(256).to(torch::kUInt8).view({1, 256, 1}).expand({1, 256, 3});
  const auto values = normalize(image, options).contiguous();
  for (int64_t i = 0; i < values.numel(); ++i) {
    EXPECT_EQ(values.data_ptr<float>()[i], golden.next<float>()) << i;
  }
}

TEST(Resize, KeepsAnImageOfTheWantedSize) {
  const auto image = picture(7, 9, 3);
  EXPECT_TRUE(resize(image, 7, 9, Interpolation::Bicubic).equal(image));
}

TEST(Resize, AveragesWhatItShrinks) {
  // Bilinear by two weighs the four nearest with 1/8, 3/8, 3/8, 1/8; at a border the three there
  // are.
  const auto image =
      torch::tensor({0, 80, 160, 240}, torch::kUInt8).view({1, 4, 1}).expand({1, 4, 3});
  const auto expected = torch::tensor({57, 183}, torch::kUInt8).view({1, 2, 1}).expand({1, 2, 3});
  EXPECT_TRUE(resize(image, 1, 2, Interpolation::Bilinear).equal(expected));
}

TEST(Resize, TakesViewsAsTheyLookNotAsTheyLie) {
  const auto image = picture(12, 10, 4);
  const std::vector<torch::Tensor> views = {
      image.transpose(0, 1),
      image.narrow(0, 2, 9).narrow(1, 3, 5),
      image.narrow(1, 4, 1),
      image.narrow(0, 3, 1).expand({5, -1, -1})};
  for (const auto& view : views) {
    for (const auto filter : {Interpolation::Nearest, Interpolation::Bicubic}) {
      EXPECT_TRUE(resize(view, 6, 7, filter).equal(resize(view.contiguous(), 6, 7, filter)));
    }
  }
}

TEST(Preprocess, PadsASmallImageAsTorchvisionDoes) {
  // Scaled to 2 x 6 and cut to 4 x 4 would need rows that are not there: they are black.
  auto options = PreprocessOptions().height(4).width(4).crop_pct(1.0).crop_mode(CropMode::Border);
  options.mean({0.0, 0.0, 0.0}).std({1.0, 1.0, 1.0});
  const auto input = preprocess(torch::full({2, 4, 3}, 255, torch::kUInt8), options);
  const auto row = input[0].sum(1);
  EXPECT_TRUE(row.equal(torch::tensor({0.0F, 4.0F, 4.0F, 0.0F})));
}

TEST(Preprocess, CutsALongStripWithoutScalingAllOfIt) {
  // Scaled whole, this image would take 19 GB.
  const auto input = preprocess(torch::full({1, 100000, 3}, 9, torch::kUInt8), PreprocessOptions());
  EXPECT_EQ(input.size(2), 224);
  EXPECT_TRUE(input.eq(input[0][0][0]).all().item<bool>());
}

TEST(Preprocess, RefusesWhatItCannotTake) {
  const auto image = picture(8, 8, 1);
  const PreprocessOptions options;
  EXPECT_THROW(preprocess(image.to(torch::kFloat), options), c10::ValueError);
  EXPECT_THROW(preprocess(image.permute({2, 0, 1}), options), c10::ValueError);
  EXPECT_THROW(preprocess(torch::empty({0, 8, 3}, torch::kUInt8), options), c10::ValueError);
  EXPECT_THROW(preprocess(torch::Tensor(), options), c10::ValueError);
  EXPECT_THROW(preprocess(image, PreprocessOptions().height(0)), c10::ValueError);
  EXPECT_THROW(preprocess(image, PreprocessOptions().crop_pct(0.0)), c10::ValueError);
  EXPECT_THROW(preprocess(image, PreprocessOptions().crop_pct(1.5)), c10::ValueError);
  EXPECT_THROW(preprocess(image, PreprocessOptions().std({1.0, 0.0, 1.0})), c10::ValueError);
  EXPECT_THROW(resize(image, 0, 4, Interpolation::Bicubic), c10::ValueError);
}

TEST(PreprocessOptions, NamesAreReadBackAndUnknownOnesRefused) {
  for (const auto value :
       {Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Bicubic}) {
    EXPECT_EQ(parse_interpolation(to_string(value)), value);
  }
  for (const auto value : {CropMode::Center, CropMode::Squash, CropMode::Border}) {
    EXPECT_EQ(parse_crop_mode(to_string(value)), value);
  }
  EXPECT_THROW(parse_interpolation("bicubical"), UnknownNameError);
  EXPECT_THROW(parse_crop_mode("centre"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine
