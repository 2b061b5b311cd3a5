#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

#include "cli.h"

namespace vitrine {
namespace {

TEST(ModelsCommand, ListsTheZooAsATable) {
  const auto result = vitrine_program({"models"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
  const auto lines = lines_of(result.out);
  ASSERT_GT(lines.size(), 10U);
  EXPECT_EQ(lines[0].rfind("name ", 0), 0U);
  for (const auto* name :
       {"\nvit_base_patch16_224 ", "\nswin_tiny_patch4_window7_224 ", "\nmobilevit_s "}) {
    EXPECT_NE(result.out.find(name), std::string::npos) << name;
  }
}

TEST(ModelsCommand, ListsWhatAPatternMatches) {
  const auto lines = lines_of(vitrine_program({"models", "mobilevit_*"}).out);
  ASSERT_GE(lines.size(), 4U);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].rfind("mobilevit_", 0), 0U) << lines[i];
  }
}

TEST(ModelsCommand, PrintsJson) {
  const auto result = vitrine_program({"models", "vit_tiny_patch16_224", "--format", "json"});
  const auto models = nlohmann::json::parse(result.out);
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0]["name"], "vit_tiny_patch16_224");
  EXPECT_EQ(models[0]["family"], "vit");
  EXPECT_EQ(models[0]["parameters"], 5'717'416);
  EXPECT_EQ(models[0]["gmacs"], 1.26);
  EXPECT_EQ(models[0]["image_size"], nlohmann::json({224, 224}));
  EXPECT_EQ(models[0]["crop_pct"], 0.9);
  EXPECT_EQ(models[0]["interpolation"], "bicubic");
  EXPECT_EQ(models[0]["mean"], nlohmann::json({0.5, 0.5, 0.5}));
}

}  // namespace
}  // namespace vitrine
