#include "vitrine/layers/patch_embed.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include "vitrine/weights/safetensors.h"

#include "support/reference_fill.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

/// Patches of 2x2 of an image 4x6 of one channel; the first channel out is the patch's sum, the
/// second its top left pixel.
PatchEmbed summing_embed(PatchLayout layout) {
  const torch::NoGradGuard no_grad;
  PatchEmbed embed(PatchEmbedOptions(2, 2).img_size({4, 6}).in_chans(1).layout(layout));
  embed->proj->weight.zero_();
  embed->proj->weight[0].fill_(1);
  embed->proj->weight[1][0][0][0].fill_(1);
  embed->proj->bias.zero_();
  return embed;
}

torch::Tensor image_4x6() {
  return torch::arange(24, torch::kFloat).view({1, 1, 4, 6});
}

TEST(PatchEmbed, GivesTokensRowByRow) {
  const auto expected =
      torch::tensor(
          {14.0F, 0.0F, 22.0F, 2.0F, 30.0F, 4.0F, 62.0F, 12.0F, 70.0F, 14.0F, 78.0F, 16.0F})
          .view({1, 6, 2});
  EXPECT_TENSOR_NEAR(summing_embed(PatchLayout::Tokens)(image_4x6()), expected, 1e-6);
}

TEST(PatchEmbed, GivesTheSameAsGridAndAsMap) {
  const auto tokens = summing_embed(PatchLayout::Tokens)(image_4x6());
  const auto grid = summing_embed(PatchLayout::Grid)(image_4x6());
  const auto map = summing_embed(PatchLayout::Map)(image_4x6());
  EXPECT_TENSOR_NEAR(grid, tokens.view({1, 2, 3, 2}), 1e-6);
  EXPECT_TENSOR_NEAR(map, grid.permute({0, 3, 1, 2}), 1e-6);
}

TEST(PatchEmbed, NormalisesOverTheChannelsInEveryLayout) {
  torch::manual_seed(0);
  const auto image = torch::randn({2, 3, 4, 8});
  for (const auto layout : {PatchLayout::Tokens, PatchLayout::Grid, PatchLayout::Map}) {
    PatchEmbed embed(PatchEmbedOptions(2, 16).img_size({4, 8}).layout(layout).norm(true));
    const auto y = embed(image);
    const auto channel = layout == PatchLayout::Map ? 1 : -1;
    const auto mean = y.mean(channel);
    EXPECT_TENSOR_NEAR(mean, torch::zeros_like(mean), 1e-5);
    EXPECT_TENSOR_NEAR(y.var(channel, false), torch::ones_like(mean), 1e-3);  // epsilon 1e-5
  }
}

TEST(PatchEmbed, NormalisesEachPatchFirstWhenAsked) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  PatchEmbed embed(PatchEmbedOptions(2, 4).img_size({4, 6}).pre_norm(true));
  auto image = torch::randn({2, 3, 4, 6});
  const auto before = embed(image);
  // By hand: the patch of rows 2 and 3, columns 4 and 5, token 5.
  const auto patch = image[1].slice(1, 2, 4).slice(2, 4, 6);
  const auto unit = (patch - patch.mean()) / (patch.var(/*unbiased=*/false) + 1e-5).sqrt();
  const auto expected = torch::linear(unit.flatten(), embed->proj->weight.flatten(1));
  EXPECT_TENSOR_NEAR(before[1][5], expected + embed->proj->bias, 1e-5);
  // Brightness and contrast of a patch leave no trace.
  image.slice(2, 0, 2).mul_(2).add_(7);
  EXPECT_TENSOR_NEAR(embed(image), before, 1e-4);
}

TEST(PatchEmbed, MakesAMapOf32x32OrItsTokensOfPatchesOf8) {
  const auto options = PatchEmbedOptions(8, 512).img_size({256, 256});
  const auto image = torch::zeros({1, 3, 256, 256});
  auto map = options;
  EXPECT_EQ(PatchEmbed(map.layout(PatchLayout::Map))(image).sizes(), (Shape{1, 512, 32, 32}));
  EXPECT_EQ(PatchEmbed(options)(image).sizes(), (Shape{1, 1024, 512}));
}

TEST(PatchEmbed, NamesTheSizeItExpects) {
  PatchEmbed embed(PatchEmbedOptions(16, 8).img_size({224, 160}));
  EXPECT_VALUE_ERROR(embed(torch::zeros({1, 3, 160, 224})), "images of 224x160, got 160x224");
  EXPECT_VALUE_ERROR(embed(torch::zeros({1, 4, 224, 160})), "[B, 3, H, W], got [1, 4, 224, 160]");
  EXPECT_VALUE_ERROR(embed(torch::zeros({3, 224, 160})), "[B, 3, H, W]");
}

TEST(PatchEmbed, TakesAnyMultipleOfThePatchWhenDynamic) {
  PatchEmbed embed(PatchEmbedOptions(16, 8).dynamic_img_size(true));
  EXPECT_EQ(embed(torch::zeros({1, 3, 32, 64})).sizes(), (Shape{1, 8, 8}));
  EXPECT_VALUE_ERROR(embed(torch::zeros({1, 3, 32, 60})), "the nearest: 32x48 and 32x64");
  EXPECT_VALUE_ERROR(embed(torch::zeros({1, 3, 0, 16})), "the nearest: 16x16");
}

TEST(PatchEmbed, RejectsOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(
      PatchEmbed(PatchEmbedOptions(16, 8).img_size({225, 224})), "224x224 and 240x224");
  EXPECT_VALUE_ERROR(PatchEmbed(PatchEmbedOptions(16, 8).img_size({-16, 16})), "multiple");
  EXPECT_VALUE_ERROR(PatchEmbed(PatchEmbedOptions(0, 8)), "patch_size");
  EXPECT_VALUE_ERROR(PatchEmbed(PatchEmbedOptions(16, 0)), "embed_dim");
  EXPECT_VALUE_ERROR(PatchEmbed(PatchEmbedOptions(16, 8).in_chans(0)), "in_chans");
}

TEST(ImageSize, NamesTheNearestThatFit) {
  EXPECT_NO_THROW(check_image_size({16, 48}, 16));
  EXPECT_VALUE_ERROR(
      check_image_size({225, 250}, 16),
      "image size 225x250 is no multiple of the patch, 16; the nearest: 224x240 and 240x256");
  EXPECT_VALUE_ERROR(check_image_size({10, 32}, 16), "16; the nearest: 16x32");
  EXPECT_VALUE_ERROR(check_image_size({-5, 0}, 4), "4; the nearest: 4x4");
  EXPECT_VALUE_ERROR(check_image_size({4, 4}, 0), "patch_size must be at least 1, got 0");
}

TEST(PositionEmbedding, GivesTimmsAndDinos) {
  const auto golden = read_safetensors(VITRINE_TEST_DATA "/golden/sizes.safetensors").tensors;
  const auto embedding = reference_tensor("positions", {1, 26, 3});
  for (const auto grid : {Size2{3, 3}, Size2{8, 8}, Size2{4, 9}}) {
    const auto name = std::to_string(grid[0]) + "x" + std::to_string(grid[1]);
    SCOPED_TRACE(name);
    const auto timm = resample_position_embedding(embedding, {5, 5}, grid, 1);
    EXPECT_TENSOR_NEAR(timm, golden["positions.timm_" + name], 1e-6);
    const PositionInterpolation of_dino{/*antialias=*/false, /*offset=*/0.1};
    const auto dino = resample_position_embedding(embedding, {5, 5}, grid, 1, of_dino);
    EXPECT_TENSOR_NEAR(dino, golden["positions.dino_" + name], 1e-6);
  }
}

TEST(PositionEmbedding, OfTheSameGridStaysAsItIs) {
  const auto embedding = torch::randn({1, 13, 4});
  EXPECT_TRUE(resample_position_embedding(embedding, {3, 4}, {3, 4}, 1).is_same(embedding));
}

TEST(PositionEmbedding, KeepsThePrefixAndItsType) {
  const auto embedding = torch::randn({1, 6, 4}).to(torch::kHalf);
  const auto larger = resample_position_embedding(embedding, {2, 2}, {3, 5}, 2);
  EXPECT_EQ(larger.sizes(), (Shape{1, 17, 4}));
  EXPECT_EQ(larger.scalar_type(), torch::kHalf);
  EXPECT_TRUE(larger.slice(1, 0, 2).equal(embedding.slice(1, 0, 2)));
}

TEST(PositionEmbedding, KeepsARampARamp) {
  // A cubic kernel with a = -0.5 reproduces straight lines; one with a = -0.75 does not.
  const auto rows = torch::arange(8, torch::kFloat).view({8, 1}).expand({8, 8});
  const auto embedding = torch::stack({rows, rows.t()}, -1).reshape({1, 64, 2});
  const auto larger = resample_position_embedding(embedding, {8, 8}, {16, 8}, 0).view({16, 8, 2});
  const auto inner = larger.slice(0, 4, 12).slice(1, 2, 6);
  const auto expected_rows = (torch::arange(4, 12, torch::kFloat) + 0.5) / 2 - 0.5;
  EXPECT_TENSOR_NEAR(inner.select(-1, 0), expected_rows.view({8, 1}).expand({8, 4}), 1e-5);
  const auto expected_columns = torch::arange(2, 6, torch::kFloat);
  EXPECT_TENSOR_NEAR(inner.select(-1, 1), expected_columns.expand({8, 4}), 1e-5);
}

TEST(PositionEmbedding, AveragesWhatItShrinks) {
  // With antialiasing every position counts; without it a spike between samples would be lost.
  auto embedding = torch::zeros({1, 256, 1});
  embedding[0][16 * 5 + 5] = 1;
  const auto smaller = resample_position_embedding(embedding, {16, 16}, {2, 2}, 0);
  EXPECT_GT(smaller[0][0].item<double>(), 0.01);
}

TEST(PositionEmbedding, PassesGradients) {
  const auto embedding = torch::randn({1, 5, 2}, torch::requires_grad());
  resample_position_embedding(embedding, {2, 2}, {4, 4}, 1).sum().backward();
  EXPECT_GT(embedding.grad().abs().min().item<double>(), 0);
}

TEST(PositionEmbedding, RejectsGridsThatDoNotFit) {
  const auto embedding = torch::zeros({1, 5, 2});
  EXPECT_VALUE_ERROR(resample_position_embedding(embedding, {3, 2}, {4, 4}, 1), "7 tokens");
  EXPECT_VALUE_ERROR(resample_position_embedding(embedding, {2, 2}, {0, 4}, 1), "0x4");
}

}  // namespace
}  // namespace vitrine
