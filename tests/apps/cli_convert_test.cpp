#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

#include "cli.h"

namespace vitrine {
namespace {

std::string answer_of(const std::string& weights, const std::string& image) {
  const auto result = vitrine_program(
      {"classify",
       "--weights",
       weights,
       "--device",
       "cpu",
       "--top-k",
       "0",
       "--format",
       "jsonl",
       image});
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out;
}

/// A folder with a picture.
class ConvertCommand : public testing::Test {
 protected:
  void SetUp() override { write_bytes(image_, encoded(".png", picture(1))); }

  TemporaryFolder folder_;
  std::string image_ = folder_ / "a.png";
};

TEST_F(ConvertCommand, WritesAFileThatAnswersAlike) {
  const auto out = folder_ / "copy.safetensors";
  const auto result = vitrine_program({"convert", small_model(), out});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, out + ": test_vit, 3 classes, for vitrine\n");
  EXPECT_EQ(answer_of(out, image_), answer_of(small_model(), image_));
}

TEST_F(ConvertCommand, WritesTransformersFolderThatAnswersAlike) {
  const auto out = folder_ / "hub";
  const auto result = vitrine_program({"convert", small_model(), out, "--to", "huggingface"});
  EXPECT_EQ(result.status, 0) << result.err;
  for (const auto* name : {"config.json", "preprocessor_config.json", "model.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(out + "/" + name)) << name;
  }
  const auto back = folder_ / "back.safetensors";
  // The zoo has no such small model: what shapes it has to be said again.
  const auto again = vitrine_program(
      {"convert",
       out + "/model.safetensors",
       back,
       "--model",
       "test_vit",
       "--model-kwargs",
       "patch_size=8,embed_dim=32,depth=1"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(answer_of(back, image_), answer_of(small_model(), image_));
}

TEST_F(ConvertCommand, TimmsFileKeepsItsPreprocessing) {
  const auto out = folder_ / "timm.safetensors";
  const auto result = vitrine_program({"convert", small_model(), out, "--to", "timm"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(answer_of(out, image_), answer_of(small_model(), image_));
}

TEST_F(ConvertCommand, TellsWhereTheWeightsAreFrom) {
  const std::string in = VITRINE_TEST_DATA "/golden/layouts/torchvision_vit.pth";
  const auto out = folder_ / "copy.safetensors";
  const auto result = vitrine_program(
      {"convert",
       in,
       out,
       "--model",
       "vit_tiny_patch16_224",
       "--model-kwargs",
       "img_size=32x32,patch_size=8,embed_dim=16,depth=2,num_heads=2"});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto inspected = vitrine_program({"inspect", out, "--format", "json"});
  const auto metadata = nlohmann::json::parse(inspected.out)["metadata"];
  const auto card = nlohmann::json::parse(metadata["vitrine"].get<std::string>());
  EXPECT_EQ(card["provenance"]["converted_from"], "torchvision_vit.pth");
  EXPECT_EQ(card["provenance"]["layout"], "torchvision ViT");
}

TEST_F(ConvertCommand, AFolderOfTransformersIsOpened) {
  const auto hub = folder_ / "hub";
  ASSERT_EQ(vitrine_program({"convert", small_model(), hub, "--to", "huggingface"}).status, 0);
  const auto result = vitrine_program({"inspect", hub});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("Hugging Face ViT"), std::string::npos) << result.out;
  std::filesystem::remove(hub + "/model.safetensors");
  const auto neither = vitrine_program({"inspect", hub});
  EXPECT_EQ(neither.status, 1);
  EXPECT_EQ(
      neither.err,
      "vitrine: " + hub +
          ": is a folder with no model.safetensors, model.safetensors.index.json or "
          "pytorch_model.bin; expected a checkpoint, or the folder of one\n");
}

TEST_F(ConvertCommand, WhatIsNoCheckpointIsToldBothKinds) {
  const auto page = folder_ / "page.pth";
  write_bytes(page, {'<', 'h', 't', 'm', 'l', '>', '<', '/', 'h', 't', 'm', 'l', '>'});
  const auto empty = folder_ / "empty.pth";
  write_bytes(empty, {});
  for (const auto& path : {page, empty}) {
    const auto result = vitrine_program({"convert", path, folder_ / "x.safetensors"});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(
        result.err.find("; expected a checkpoint, safetensors or PyTorch's .pth\n"),
        std::string::npos)
        << result.err;
  }
}

TEST_F(ConvertCommand, LeavesWhatIsThere) {
  const auto out = folder_ / "copy.safetensors";
  write_bytes(out, {1, 2, 3});
  const auto result = vitrine_program({"convert", small_model(), out});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.err, "vitrine: " + out + ": is there already; --force replaces it\n");
  EXPECT_EQ(std::filesystem::file_size(out), 3U);
  EXPECT_EQ(vitrine_program({"convert", small_model(), out, "--force"}).status, 0);
}

TEST_F(ConvertCommand, LeavesAFolderWithAModelAsItIs) {
  const auto model = folder_ / "model.safetensors";
  write_bytes(model, {1, 2, 3});
  const auto result =
      vitrine_program({"convert", small_model(), folder_.path(), "--to", "huggingface"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("is there already"), std::string::npos) << result.err;
  EXPECT_EQ(std::filesystem::file_size(model), 3U);
}

TEST_F(ConvertCommand, RefusesInOneLine) {
  const auto pth = vitrine_program({"convert", small_model(), folder_ / "x.pth"});
  EXPECT_EQ(pth.status, 2);
  EXPECT_NE(pth.err.find("ends in .safetensors"), std::string::npos) << pth.err;
  const auto missing = vitrine_program({"convert", folder_ / "none", folder_ / "x.safetensors"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_EQ(lines_of(missing.err).size(), 1U) << missing.err;
  const auto library =
      vitrine_program({"convert", small_model(), folder_ / "x.safetensors", "--to", "torchvison"});
  EXPECT_EQ(library.status, 2);
  EXPECT_NE(library.err.find("torchvision"), std::string::npos) << library.err;
}

}  // namespace
}  // namespace vitrine
