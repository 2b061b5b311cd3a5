#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

#include "cli.h"

namespace vitrine {
namespace {

const std::string kTorchvision = VITRINE_TEST_DATA "/golden/layouts/torchvision_vit.pth";

TEST(InspectCommand, PrintsATable) {
  const auto result = vitrine_program({"inspect", small_model()});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
  for (const auto* line :
       {"\nkind      safetensors\n", "\nnames     of timm\n", "\nmodel     test_vit\n"}) {
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
