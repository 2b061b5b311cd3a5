#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "cli.h"

namespace vitrine {
namespace {

const std::string kTorchvision = VITRINE_TEST_DATA "/golden/layouts/torchvision_vit.pth";

TEST(InspectCommand, PrintsATable) {
  const auto result = vitrine_program({"inspect", small_model()});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
  for (const auto* line :
       {"\nkind      safetensors\n",
        "\nnames     of timm\n",
        "\nmodel     test_vit, told by its card\n"}) {
    EXPECT_NE(result.out.find(line), std::string::npos) << line << result.out;
  }
  EXPECT_NE(result.out.find("\nblocks.0.attn.qkv.weight  "), std::string::npos);
}

TEST(InspectCommand, PrintsJson) {
  const auto result = vitrine_program({"inspect", kTorchvision, "--format", "json"});
  EXPECT_EQ(result.status, 0);
  const auto found = nlohmann::json::parse(result.out);
  EXPECT_EQ(found["kind"], "PyTorch legacy");
  EXPECT_EQ(found["layout"], "torchvision ViT");
  EXPECT_TRUE(found["model"].is_null());
  EXPECT_EQ(found["tensors"][0]["name"], "class_token");
  EXPECT_EQ(found["tensors"][0]["timm"], nlohmann::json({"cls_token"}));
  EXPECT_EQ(found["tensors"][0]["dtype"], "F32");
}

TEST(InspectCommand, ComparesWithAModel) {
  const auto kwargs = std::string("patch_size=8,embed_dim=16,depth=2,num_heads=2");
  const std::vector<std::string> words = {
      "inspect", kTorchvision, "--model", "vit_tiny_patch16_224", "--num-classes", "5"};
  auto fitting = words;
  fitting.insert(fitting.end(), {"--image-size", "48", "--model-kwargs", kwargs});
  const auto fits = vitrine_program(fitting);
  EXPECT_EQ(fits.status, 0) << fits.out;
  EXPECT_NE(fits.out.find("\nfits the model, resampled: pos_embed\n"), std::string::npos);

  const auto misfits = vitrine_program(words);
  EXPECT_EQ(misfits.status, 1);
  for (const auto* line :
       {"\ndoes not fit the model: is it another model's, or of another image size?\n",
        "\nmissing    blocks.2.norm1.weight\n",
        "\nmissing    and 100 more; --all shows them\n",
        "\nmisshapen  'cls_token' ([1, 1, 16], expected [1, 1, 192])\n"}) {
    EXPECT_NE(misfits.out.find(line), std::string::npos) << line << misfits.out;
  }
  EXPECT_LT(lines_of(misfits.out).size(), 80U);

  auto all = words;
  all.emplace_back("--all");
  const auto whole = vitrine_program(all);
  for (const auto* line : {"\nmissing    blocks.11.mlp.fc2.bias\n", "\nclass_token  "}) {
    EXPECT_NE(whole.out.find(line), std::string::npos) << line << whole.out;
  }
}

TEST(InspectCommand, RefusesInOneLine) {
  const TemporaryFolder folder;
  for (const auto& path :
       {folder / "missing", folder.path(), std::string(VITRINE_TEST_DATA "/CMakeLists.txt")}) {
    const auto result = vitrine_program({"inspect", path});
    EXPECT_EQ(result.status, 1) << path;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    EXPECT_EQ(result.err.rfind("vitrine: " + path, 0), 0U) << result.err;
  }
}

}  // namespace
}  // namespace vitrine
