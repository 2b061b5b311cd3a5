#include "vitrine/weights/export_model.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/inspect.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/model_file.h"

#include "support/temporary_folder.h"

namespace vitrine {
namespace {

const std::string kLayouts = VITRINE_TEST_DATA "/golden/layouts/";
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

ModelOptions small_vit() {
  return ModelOptions()
      .img_size(32)
      .num_classes(5)
      .set("patch_size", int64_t{8})
      .set("embed_dim", int64_t{16})
      .set("depth", int64_t{2})
      .set("num_heads", int64_t{2});
}

ModelOptions small_swin(int64_t window) {
  return ModelOptions()
      .img_size(32)
      .num_classes(5)
      .set("embed_dim", int64_t{8})
      .set("depths", std::vector<int64_t>{2, 2})
      .set("num_heads", std::vector<int64_t>{1, 2})
      .set("window_size", window);
}

Shapes shapes_of(const std::string& path) {
  Shapes shapes;
  for (const auto& tensor : inspect_checkpoint(path).tensors) {
    shapes.emplace(tensor.name, tensor.shape);
  }
  return shapes;
}

void expect_same_weights(const Classifier& found, const Classifier& expected) {
  const auto tensors = state_dict(found);
  for (const auto& item : state_dict(expected)) {
    EXPECT_TRUE(torch::equal(tensors[item.key()], item.value())) << item.key();
  }
}

/// Opens what torchvision wrote, writes it for torchvision, and compares.
void expect_given_back(
    const std::string& file, const std::string& name, const ModelOptions& options) {
  SCOPED_TRACE(file);
  const TemporaryFolder folder;
  const auto model = create_model(name, options);
  load_weights(*model, kLayouts + file);
  const auto out = folder / "out.safetensors";
  export_model(out, *model, find_card(name), Library::Torchvision);
  EXPECT_EQ(shapes_of(out), shapes_of(kLayouts + file));
  const auto again = create_model(name, options);
  load_weights(*again, out);
  expect_same_weights(*again, *model);
}

TEST(ExportModel, GivesBackWhatTorchvisionWrote) {
  expect_given_back("torchvision_vit.pth", "vit_tiny_patch16_224", small_vit());
  expect_given_back("torchvision_swin_v2.pth", "swinv2_tiny_window8_256", small_swin(4));
}

TEST(ExportModel, IsReadBackAsItWas) {
  const auto scaled = small_vit().num_classes(0);
  const std::vector<std::pair<std::string, ModelOptions>> cases = {
      {"vit_tiny_patch16_224", small_vit()},
      {"deit_tiny_distilled_patch16_224", small_vit()},
      {"vit_small_patch14_dinov2", scaled},
      {"vit_small_patch14_reg4_dinov2", scaled},
      {"vit_small_patch14_dinov2", small_vit().set("global_pool", "token_avg")},
      {"vit_small_patch14_reg4_dinov2", small_vit().set("global_pool", "token_avg")},
      {"vit_giant_patch14_dinov2", small_vit().num_classes(0).set("embed_dim", int64_t{24})},
      {"swin_tiny_patch4_window7_224", small_swin(4)},
      {"swinv2_tiny_window8_256", small_swin(4)},
      {"mobilevit_xxs", ModelOptions().num_classes(5)},
      {"mobilevitv2_050", ModelOptions().num_classes(5)}};
  for (const auto& [name, options] : cases) {
    SCOPED_TRACE(name);
    torch::manual_seed(0);
    const auto model = create_model(name, options);
    {
      const torch::NoGradGuard no_grad;
      for (auto& parameter : model->parameters()) {
        parameter.uniform_();
      }
    }
    const TemporaryFolder folder;
    const bool in_timm = options.values().count("global_pool") == 0;
    for (const auto library : {Library::HuggingFace, Library::Timm}) {
      if (library == Library::Timm && !in_timm) {
        continue;
      }
      const auto out = folder / (to_string(library) + ".safetensors");
      export_model(out, *model, find_card(name), library);
      const auto again = create_model(name, options);
      load_weights(*again, library == Library::HuggingFace ? out + "/model.safetensors" : out);
      if (name.find("reg4") == std::string::npos) {
        expect_same_weights(*again, *model);
      }
    }
  }
}

TEST(ExportModel, KeepsPreprocessingAndLabelsForTransformers) {
  const TemporaryFolder folder;
  auto card = find_card("swin_tiny_patch4_window7_224");
  card.labels = {"cat", "dog"};
  const auto model = create_model(card.architecture, ModelOptions().num_classes(2));
  const auto out = folder / "swin";
  export_model(out, *model, card, Library::HuggingFace);
  const auto loaded = load_model(out + "/model.safetensors");
  EXPECT_EQ(loaded.card.architecture, card.architecture);
  EXPECT_EQ(loaded.card.labels, card.labels);
  const auto& found = loaded.card.preprocess;
  EXPECT_EQ(found.height(), 224);
  EXPECT_EQ(found.crop_mode(), CropMode::Center);
  EXPECT_EQ(static_cast<int>(static_cast<double>(found.height()) / found.crop_pct()), 248);
  EXPECT_EQ(found.interpolation(), Interpolation::Bicubic);
  EXPECT_EQ(found.mean(), card.preprocess.mean());
  EXPECT_EQ(found.std(), card.preprocess.std());
}

TEST(ExportModel, RefusesWhatTheLibraryDoesNotHave) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& name, ModelOptions options, Library library) {
    try {
      export_model(
          folder / "out.safetensors", *create_model(name, options), find_card(name), library);
      return std::string("not refused");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(
      refusal("mobilevit_xxs", {}, Library::Torchvision),
      "torchvision has no such model: it has ViT and Swin alone");
  EXPECT_EQ(
      refusal("deit_tiny_distilled_patch16_224", {}, Library::Torchvision),
      "torchvision has no such model: it has tokens beside the class token");
  const auto both = small_vit().set("global_pool", "token_avg");
  EXPECT_EQ(
      refusal("vit_small_patch14_dinov2", both, Library::Timm),
      "timm has no such model: its heads do not see the class token and the patches' mean both");
  EXPECT_NE(
      refusal("vit_tiny_patch16_224", both, Library::HuggingFace).find("only its DINOv2"),
      std::string::npos);
  EXPECT_NE(
      refusal("deit3_small_patch16_224", {}, Library::HuggingFace).find("transformers"),
      std::string::npos);
  EXPECT_NE(
      refusal("vit_small_patch14_dinov2", small_vit(), Library::HuggingFace).find("without a head"),
      std::string::npos);
  EXPECT_EQ(parse_library("timm"), Library::Timm);
  EXPECT_THROW(parse_library("keras"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine
