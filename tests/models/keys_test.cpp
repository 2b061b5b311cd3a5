#include <torch/utils.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "vitrine/models/registry.h"
#include "vitrine/weights/state_dict.h"

#include "layers/skip_init.h"
#include "small_models.h"
#include "support/cost.h"
#include "support/reference_fill.h"

namespace vitrine {
namespace {

constexpr int64_t kLarge = 100'000'000;

/// What timm's model has.
struct Reference {
  int64_t tensors = 0;
  int64_t parameters = 0;
  uint32_t hash = 0;
};

struct References {
  std::map<std::string, Reference> models;
  std::map<std::string, std::vector<std::string>> keys;  // sorted lines "KEY SHAPE"
};

References read_references() {
  References all;
  std::ifstream file(VITRINE_TEST_DATA "/golden/model_keys.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind;
    std::string name;
    words >> kind >> name;
    if (kind == "model") {
      auto& model = all.models[name];
      words >> model.tensors >> model.parameters >> model.hash;
    } else {
      std::string rest;
      std::getline(words >> std::ws, rest);
      all.keys[name].push_back(rest);
    }
  }
  return all;
}

/// Sorted lines "KEY SHAPE" of what a checkpoint of `model` holds.
std::vector<std::string> lines_of(const Classifier& model) {
  std::vector<std::string> lines;
  for (const auto& item : state_dict(model)) {
    std::ostringstream line;
    line << item.key() << ' ';
    const auto sizes = item.value().sizes();
    for (size_t i = 0; i < sizes.size(); ++i) {
      line << (i == 0 ? "" : "x") << sizes[i];
    }
    lines.push_back(line.str() + (sizes.empty() ? "scalar" : ""));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

uint32_t hash_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) {
    text += line + "\n";
  }
  return reference_hash(text);
}

int64_t parameters_of(const Classifier& model) {
  int64_t count = 0;
  for (const auto& parameter : model.parameters()) {
    count += parameter.numel();
  }
  return count;
}

TEST(Keys, AreTimmsForEachFamily) {
  const auto references = read_references();
  ASSERT_EQ(references.keys.size(), 9U);
  const auto headless = ModelOptions()
                            .num_classes(0)
                            .set("global_pool", "avg")
                            .set("class_token", false)
                            .set("qkv_bias", false);
  const auto small = ModelOptions()
                         .set("depths", std::vector<int64_t>{1, 2})
                         .set("num_heads", std::vector<int64_t>{2, 4})
                         .set("embed_dim", 16);
  EXPECT_EQ(lines_of(*create_model("test_vit")), references.keys.at("test_vit"));
  EXPECT_EQ(lines_of(*create_model("test_vit", headless)), references.keys.at("test_vit.avg"));
  EXPECT_EQ(
      lines_of(*create_model("swin_tiny_patch4_window7_224", small)),
      references.keys.at("swin.small"));
  EXPECT_EQ(
      lines_of(*create_model("swinv2_tiny_window8_256", small)),
      references.keys.at("swinv2.small"));
  for (const auto* name : {"mobilevit_xxs", "mobilevitv2_050"}) {
    EXPECT_EQ(lines_of(*create_model(name)), references.keys.at(name));
  }
  auto shallow = ModelOptions().set("depth", 1);
  EXPECT_EQ(
      lines_of(*create_model("deit_tiny_distilled_patch16_224", shallow)),
      references.keys.at("deit.distilled"));
  EXPECT_EQ(
      lines_of(*create_model("vit_small_patch14_reg4_dinov2", shallow)),
      references.keys.at("dinov2.reg4"));
  EXPECT_EQ(
      lines_of(*create_model(
          "vit_giant_patch14_dinov2", shallow.set("embed_dim", 96).set("num_heads", 4))),
      references.keys.at("dinov2.swiglu"));
}

TEST(Zoo, HasEveryReferenceModelWithItsParameters) {
  const auto references = read_references();
  ASSERT_EQ(references.models.size(), 81U);
  for (const auto& [name, reference] : references.models) {
    EXPECT_EQ(find_card(name).parameters, reference.parameters) << name;
  }
  for (const auto& name : list_models()) {
    // What timm has not is vitrine's own or SimpleViT.
    const bool other = name.rfind("vitrine_", 0) == 0 || name.rfind("simple_vit_", 0) == 0;
    EXPECT_TRUE(references.models.count(name) == 1 || other) << name;
  }
}

/// Keys and counts of `model`, built as it is.
void expect_keys(const std::string& name, const Classifier& model, const References& references) {
  SCOPED_TRACE(name);
  EXPECT_EQ(parameters_of(model), find_card(name).parameters);
  const auto lines = lines_of(model);
  const auto found = references.models.find(name);
  if (found != references.models.end()) {
    EXPECT_EQ(static_cast<int64_t>(lines.size()), found->second.tensors);
    EXPECT_EQ(hash_of(lines), found->second.hash);
  }
}

/// The same, and logits where they cost little.
void expect_model(const std::string& name, const References& references) {
  SCOPED_TRACE(name);
  const torch::NoGradGuard no_grad;
  const auto card = find_card(name);
  const auto model = create_model(name);
  expect_keys(name, *model, references);
  constexpr double kCheap = kSanitized ? 2 : 10;  // GMACs
  if (card.gmacs > kCheap) {
    return;
  }
  model->eval();
  const auto images =
      torch::randn({1, model->in_chans(), card.preprocess.height(), card.preprocess.width()});
  const auto logits = (*model)(images);
  const auto outputs = model->num_classes() > 0 ? model->num_classes() : model->num_features();
  EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{1, outputs}));
  EXPECT_TRUE(logits.isfinite().all().item<bool>());
  if (card.gmacs < 5) {
    EXPECT_TRUE((*model)(images).equal(logits));
  }
}

TEST(Zoo, OfOrdinarySizeIsTimms) {
  torch::manual_seed(0);
  const auto references = read_references();
  for (const auto& name : list_models()) {
    if (find_card(name).parameters < kLarge) {
      expect_model(name, references);
    }
  }
}

TEST(Zoo, OfLargeSizeIsTimms) {
  const auto references = read_references();
  for (const auto& name : list_models()) {
    if (find_card(name).parameters < kLarge) {
      continue;
    }
    const detail::SkipInit memory_stays_untouched;
    expect_keys(name, *create_model(name), references);
  }
}

}  // namespace
}  // namespace vitrine
