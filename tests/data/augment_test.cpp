#include "vitrine/data/augment.h"

#include <gtest/gtest.h>

#include "vitrine/data/random.h"

#include "grey_image.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

AugmentOptions still() {
  return AugmentOptions().scale({1, 1}).ratio({1, 1}).hflip(0);
}

PreprocessOptions side(int64_t size) {
  return PreprocessOptions().height(size).width(size).mean({0, 0, 0}).std({1, 1, 1});
}

TEST(TrainTransform, DependsOnTheGeneratorAlone) {
  const auto image = grey_image(torch::arange(256).view({16, 16}));
  const TrainTransform transform(
      AugmentOptions().degrees(10).translate({0.1, 0.1}).vflip(0.5), side(8));
  auto one = make_generator(5);
  auto same = make_generator(5);
  auto other = make_generator(6);
  const auto first = transform(image, one);
  EXPECT_EQ(first.sizes(), (std::vector<int64_t>{3, 8, 8}));
  EXPECT_EQ(first.scalar_type(), torch::kFloat32);
  EXPECT_TRUE(torch::equal(first, transform(image, same)));
  EXPECT_FALSE(torch::equal(first, transform(image, other)));
}

TEST(TrainTransform, FlipsByItsProbabilities) {
  const auto image = grey_image(torch::arange(64).view({8, 8}) * 4);
  auto generator = make_generator(1);
  const auto plain = TrainTransform(still(), side(8))(image, generator);
  EXPECT_TENSOR_NEAR(plain, normalize(image, side(8)), 0);
  const auto mirrored = TrainTransform(still().hflip(1), side(8))(image, generator);
  EXPECT_TENSOR_NEAR(mirrored, plain.flip(2), 0);
  const auto upside_down = TrainTransform(still().vflip(1), side(8))(image, generator);
  EXPECT_TENSOR_NEAR(upside_down, plain.flip(1), 0);
}

/// `transform` of a picture of pure colours, as bytes [8, 8, 3] in any order of channels.
torch::Tensor seen(const AugmentOptions& options, std::uint64_t seed = 1) {
  auto image = torch::zeros({8, 8, 3}, torch::kUInt8);
  image.select(2, 0).fill_(200);
  image.select(2, 1).narrow(0, 0, 4).fill_(100);
  auto generator = make_generator(seed);
  return (TrainTransform(options, side(8))(image, generator) * 255).round().permute({1, 2, 0});
}

bool is_grey(const torch::Tensor& image) {
  return torch::equal(image.select(2, 0), image.select(2, 2));
}

TEST(TrainTransform, TakesTheColoursAway) {
  EXPECT_FALSE(is_grey(seen(still())));
  const auto grey = seen(still().grayscale_prob(1));
  EXPECT_TRUE(is_grey(grey));
  EXPECT_EQ(grey[7][0][0].item<double>(), 60);  // 0.299 * 200
}

TEST(TrainTransform, JittersColoursUnlessAPolicyReplacesIt) {
  const auto plain = seen(still());
  const auto jitter = still().color_jitter({0.5});
  EXPECT_FALSE(torch::equal(seen(jitter), plain));
  EXPECT_TRUE(torch::equal(seen(AugmentOptions(jitter).color_jitter_prob(0)), plain));
  // A policy that does nothing shows whether the jitter is left out.
  EXPECT_TRUE(torch::equal(seen(AugmentOptions(jitter).aa("rand-p0")), plain));
  EXPECT_FALSE(torch::equal(seen(AugmentOptions(jitter).aa("rand-p0-t3a")), plain));
}

TEST(TrainTransform, BlursWithinTheValuesThereAre) {
  const auto plain = seen(still());
  bool blurred = false;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto result = seen(still().gaussian_blur_prob(1), seed);
    blurred = blurred || !torch::equal(result, plain);
    EXPECT_TRUE(torch::equal(result.select(2, 0), plain.select(2, 0)));  // even before
    EXPECT_LE(result.max().item<double>(), 200);
    // Above and below the edge between 100 and 0 the blur is symmetric.
    const auto green = result.select(2, 1);
    EXPECT_TENSOR_NEAR(green[3] + green[4], torch::full({8}, 100.0), 1);
  }
  EXPECT_TRUE(blurred);
}

TEST(TrainTransform, CarriesOutAPolicyOnTheMeanColour) {
  const auto options = still().aa("rand-m10-n1-p1-tweights");
  const auto mean = PreprocessOptions().height(8).width(8).mean({0.1, 0.2, 0.3}).std({1, 1, 1});
  const TrainTransform transform(options, mean);
  auto generator = make_generator(3);
  bool filled = false;
  for (int i = 0; i < 100; ++i) {
    const auto result = transform(torch::full({8, 8, 3}, 255, torch::kUInt8), generator);
    filled = filled || result[2].abs().min().item<double>() < 0.003;  // 76 or 77 of 255
  }
  EXPECT_TRUE(filled);
}

TEST(TrainTransform, ErasesFromTheNormalisedImage) {
  const auto image = torch::full({8, 8, 3}, 255, torch::kUInt8);
  const auto options = still().erasing(RandomErasingOptions().probability(1).area({0.3, 0.3}));
  auto generator = make_generator(1);
  const auto result = TrainTransform(options, side(8))(image, generator);
  EXPECT_EQ(result.min().item<double>(), 0);
  EXPECT_EQ(result.max().item<double>(), 1);
}

TEST(TrainTransform, WithoutAugmentationScalesTheShorterSideAndCutsTheCentre) {
  const auto image = grey_image(torch::arange(128).view({8, 16}));
  const TrainTransform transform(AugmentOptions().no_aug(true).vflip(1), side(8).crop_pct(0.5));
  auto generator = make_generator(1);
  EXPECT_TENSOR_NEAR(
      transform(image, generator), normalize(image.narrow(1, 4, 8).contiguous(), side(8)), 0);
}

TEST(TrainTransform, RefusesOptionsOutOfRange) {
  const auto make = [](const AugmentOptions& options) { TrainTransform(options, side(8)); };
  EXPECT_THROW(make(AugmentOptions().scale({0, 1})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().scale({0.5, 0.2})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().ratio({-1, 1})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().hflip(1.5)), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().degrees(-1)), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().translate({0, 2})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().train_interpolation({})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().aa("rand-q1")), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().color_jitter({1, 1})), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().grayscale_prob(-1)), c10::ValueError);
  EXPECT_THROW(make(AugmentOptions().erasing(RandomErasingOptions().count(0))), c10::ValueError);
}

}  // namespace
}  // namespace vitrine
