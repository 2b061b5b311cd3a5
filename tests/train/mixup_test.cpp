#include "vitrine/train/mixup.h"

#include <gtest/gtest.h>

#include <vector>

#include "vitrine/data/random.h"
#include "vitrine/error.h"
#include "vitrine/train/loss.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

constexpr int64_t kDraws = 2000;

/// The mixes that timm drew, from what was recorded of them.
std::vector<Mix> mixes_of(const nlohmann::json& golden) {
  std::vector<Mix> result;
  std::size_t boxes = 0;
  for (std::size_t i = 0; i < golden["lam"].size(); ++i) {
    auto& mix = result.emplace_back();
    mix.lam = golden["lam"][i].get<double>();
    if (golden["use_cutmix"][i].get<bool>() && mix.lam != 1) {
      const auto& drawn = golden["boxes"][boxes++];
      const auto sides = drawn["box"].get<std::vector<int64_t>>();
      mix.box = CutBox{sides[0], sides[1], sides[2], sides[3]};
      mix.lam = drawn["corrected"].get<double>();
    }
  }
  if (golden["mode"] == "pair") {
    const std::vector<Mix> mirrored(result.rbegin(), result.rend());
    result.insert(result.end(), mirrored.begin(), mirrored.end());
  }
  return result;
}

std::vector<Mix> draw(const MixupOptions& options, int64_t batch, std::uint64_t seed = 1) {
  auto generator = make_generator(seed);
  return draw_mixes(options, generator, batch, /*height=*/20, /*width=*/10);
}

TEST(Mixup, EqualsTimmsWhereItDrawsTheSame) {
  for (const auto& expected : recipe_golden()["mixup"]) {
    const auto mixes = mixes_of(expected);
    const auto images = to_tensor(expected["images"]);
    const auto classes = torch::tensor(expected["target"].get<std::vector<int64_t>>());
    const auto targets = soft_targets(classes, 3, expected["smoothing"].get<double>());
    EXPECT_TENSOR_NEAR(mix_images(images, mixes), to_tensor(expected["mixed"]), 1e-6);
    EXPECT_TENSOR_NEAR(mix_targets(targets, mixes), to_tensor(expected["soft"]), 1e-6);
    EXPECT_TENSOR_NEAR(images, to_tensor(expected["images"]), 0);
  }
}

TEST(Mixup, CutsTimmsBoxAroundAPixel) {
  for (const auto& expected : recipe_golden()["cut_boxes"]) {
    const auto box = cut_box(
        expected["height"].get<int64_t>(),
        expected["width"].get<int64_t>(),
        expected["lam"].get<double>(),
        expected["center"][0].get<int64_t>(),
        expected["center"][1].get<int64_t>());
    EXPECT_EQ(
        (std::vector<int64_t>{box.top, box.bottom, box.left, box.right}),
        expected["box"].get<std::vector<int64_t>>())
        << expected.dump();
  }
}

TEST(Mixup, DrawsSharesOfTheBetaDistribution) {
  // Of Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)).
  for (const double alpha : {0.2, 1.0, 3.0}) {
    double sum = 0;
    double squares = 0;
    const auto options = MixupOptions().mixup(alpha).mixup_mode(MixupMode::Elem);
    for (const auto& mix : draw(options, kDraws)) {
      EXPECT_FALSE(mix.box.has_value());
      EXPECT_GE(mix.lam, 0);
      EXPECT_LE(mix.lam, 1);
      sum += mix.lam;
      squares += (mix.lam - 0.5) * (mix.lam - 0.5);
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 0.03) << alpha;
    EXPECT_NEAR(squares / kDraws, 1 / (4 * (2 * alpha + 1)), 0.01) << alpha;
  }
}

TEST(Mixup, SwitchesAndLeavesAloneAsOftenAsToldTo) {
  const auto options =
      MixupOptions().mixup(1).cutmix(1).mixup_prob(0.7).mixup_switch_prob(0.25).mixup_mode(
          MixupMode::Elem);
  int64_t cut = 0;
  int64_t alone = 0;
  for (const auto& mix : draw(options, kDraws)) {
    cut += mix.box.has_value() ? 1 : 0;
    alone += !mix.box && mix.lam == 1 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(alone) / kDraws, 0.3, 0.04);
  EXPECT_NEAR(static_cast<double>(cut) / kDraws, 0.7 * 0.25, 0.04);
}

TEST(Mixup, CountsThePixelsThatAnImageKeeps) {
  for (const auto& options :
       {MixupOptions().cutmix(1), MixupOptions().mixup(0.5).cutmix_minmax(Bounds(0.2, 0.6))}) {
    auto each = options;
    each.mixup_mode(MixupMode::Elem).mixup_switch_prob(1);
    for (const auto& mix : draw(each, 100)) {
      ASSERT_TRUE(mix.box.has_value());
      const auto marked = torch::tensor({1.0F, 0.0F}).view({2, 1, 1, 1}).repeat({1, 1, 20, 10});
      const auto kept = mix_images(marked, {mix})[0].mean();
      EXPECT_NEAR(kept.item<double>(), mix.lam, 1e-6);
      if (options.cutmix_minmax()) {
        EXPECT_GE(mix.box->bottom - mix.box->top, 4);
        EXPECT_LT(mix.box->bottom - mix.box->top, 12);
        EXPECT_GE(mix.box->right - mix.box->left, 2);
        EXPECT_LT(mix.box->right - mix.box->left, 6);
      }
    }
  }
}

TEST(Mixup, DrawsOnceForABatchOrAPairAndTheSameFromTheSameSeed) {
  const auto options = MixupOptions().mixup(1);
  EXPECT_EQ(draw(options, 5).size(), 1U);
  const auto pairs = draw(MixupOptions(options).mixup_mode(MixupMode::Pair), 5);
  ASSERT_EQ(pairs.size(), 5U);
  EXPECT_EQ(pairs[0].lam, pairs[4].lam);
  EXPECT_EQ(pairs[1].lam, pairs[3].lam);
  EXPECT_NE(pairs[0].lam, pairs[1].lam);
  EXPECT_EQ(pairs[2].lam, 1);
  EXPECT_EQ(draw(options, 5, 3)[0].lam, draw(options, 5, 3)[0].lam);
  EXPECT_NE(draw(options, 5, 3)[0].lam, draw(options, 5, 4)[0].lam);
}

TEST(Mixup, EndsAfterItsLastEpoch) {
  EXPECT_FALSE(mixes(MixupOptions(), 1));
  EXPECT_TRUE(mixes(MixupOptions().mixup(1), 1000));
  const auto options = MixupOptions().cutmix_minmax(Bounds(0.2, 0.6)).mixup_off_epoch(3);
  EXPECT_TRUE(mixes(options, 3));
  EXPECT_FALSE(mixes(options, 4));
}

TEST(Mixup, RefusesOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(check_options(MixupOptions().mixup(-1)), "mixup");
  EXPECT_VALUE_ERROR(check_options(MixupOptions().mixup_prob(2)), "mixup_prob");
  EXPECT_VALUE_ERROR(check_options(MixupOptions().cutmix_minmax(Bounds(0.5, 0.5))), "ascend");
  EXPECT_VALUE_ERROR(check_options(MixupOptions().mixup_off_epoch(-1)), "mixup_off_epoch");
  EXPECT_VALUE_ERROR(draw(MixupOptions(), 2), "nothing to mix");
  EXPECT_THROW(parse_mixup_mode("pairs"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine
