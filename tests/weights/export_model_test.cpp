#include "vitrine/weights/export_model.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/layers/patch_embed.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/inspect.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/model_file.h"

#include "same_weights.h"
#include "support/reference_fill.h"
#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

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

TEST(ExportModel, GivesADeitWithOneHeadBackAsItWas) {
  const TemporaryFolder folder;
  const auto options = small_vit().set("reg_tokens", int64_t{1});
  const auto model = create_model("deit_tiny_patch16_224", options);
  const auto out = folder / "deit";
  export_model(out, *model, find_card("deit_tiny_patch16_224"), Library::HuggingFace);
  const auto shapes = shapes_of(out + "/model.safetensors");
  EXPECT_EQ(shapes.at("deit.embeddings.position_embeddings"), (std::vector<int64_t>{1, 18, 16}));
  EXPECT_EQ(shapes.count("deit.embeddings.distillation_token"), 1U);
  EXPECT_EQ(shapes.count("classifier.weight"), 1U);
  const auto again = create_model("deit_tiny_patch16_224", options);
  load_weights(*again, out + "/model.safetensors");
  expect_same_weights(*again, *model);
}

/// What the export of a model at an image size is refused with; empty where it is not.
std::string refused_size(
    const std::string& name, const ModelOptions& options, const Size2& size, Library library) {
  const TemporaryFolder folder;
  auto card = find_card(name);
  card.preprocess.height(size[0]).width(size[1]).crop_mode(CropMode::Squash).crop_pct(1);
  try {
    export_model(folder / "out.safetensors", *create_model(name, options), card, library);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ExportModel, RefusesSizesAtWhichOthersShiftOtherwise) {
  const std::vector<Library> both = {Library::Torchvision, Library::HuggingFace};
  const auto swin = [](const std::string& name, int64_t window, Size2 size, Library library) {
    auto options = small_swin(window).img_size(size[0], size[1]);
    return refused_size(name, options, size, library);
  };
  const std::string first = "swin_tiny_patch4_window7_224";
  const std::string second = "swinv2_tiny_window8_256";
  for (const auto library : both) {
    EXPECT_EQ(swin(first, 4, {32, 32}, library), "");
    EXPECT_EQ(swin(first, 4, {64, 64}, library), "");
    const auto message = swin(first, 4, {48, 48}, library);
    EXPECT_NE(
        message.find(
            "has no such model: its Swin answers alike only where windows of 4 fill each stage's "
            "map, which those of 48x48 pixels do not; the nearest sizes that do are 32 and 64"),
        std::string::npos)
        << message;
  }
  // A window as small as its map, and a map that is shifted in one direction alone.
  EXPECT_NE(swin(first, 4, {16, 16}, Library::HuggingFace), "");
  EXPECT_EQ(swin(second, 4, {16, 16}, Library::HuggingFace), "");
  EXPECT_NE(swin(second, 4, {16, 16}, Library::Torchvision), "");
  EXPECT_NE(swin(first, 4, {32, 64}, Library::HuggingFace), "");
  EXPECT_EQ(swin(first, 4, {32, 64}, Library::Torchvision), "");
}

TEST(ExportModel, RefusesOddMapsOfAMobileVitV2) {
  const auto v2 = [](Size2 size) {
    return refused_size("mobilevitv2_050", {}, size, Library::HuggingFace);
  };
  EXPECT_EQ(v2({256, 256}), "");
  EXPECT_EQ(v2({250, 250}), "");
  EXPECT_EQ(
      v2({240, 240}),
      "transformers has no such model: its MobileViT V2 needs even maps before each transformer, "
      "which those of 240x240 pixels are not; the nearest sizes that do are 192 and 249");
  EXPECT_EQ(refused_size("mobilevit_xxs", {}, {240, 240}, Library::HuggingFace), "");
}

TEST(ExportModel, RefusesACropThatTransformersMakesElsewhere) {
  const TemporaryFolder folder;
  auto card = find_card("vit_tiny_patch16_224");
  card.preprocess.crop_pct(0.888);  // 252 pixels, 28 more
  const auto model = create_model("vit_tiny_patch16_224", small_vit());
  export_model(folder / "even", *model, card, Library::HuggingFace);
  card.preprocess.crop_pct(0.88);  // 254 pixels
  export_model(folder / "fifteen", *model, card, Library::HuggingFace);
  card.preprocess.crop_pct(0.8927);  // 250 pixels
  export_model(folder / "thirteen", *model, card, Library::HuggingFace);
  card.preprocess.crop_pct(0.8924);  // 251 pixels, 27 more
  try {
    export_model(folder / "odd", *model, card, Library::HuggingFace);
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("crop 224 of 251 pixels"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("--crop-pct 0.89"), std::string::npos);
  }
}

TEST(ExportModel, TransformersDinov2OfAnySizeWithAHeadIsToldByItsFolder) {
  const TemporaryFolder folder;
  for (const auto* name : {"vit_small_patch14_dinov2", "vit_small_patch14_reg4_dinov2"}) {
    SCOPED_TRACE(name);
    const auto model = create_model(name, small_vit().set("global_pool", "token_avg"));
    auto card = find_card(name);
    card.preprocess.height(32).width(32);
    export_model(folder / name, *model, card, Library::HuggingFace);
    const auto back = load_model(folder / name);
    EXPECT_EQ(back.card.architecture, name);
    EXPECT_EQ(back.model->num_classes(), 5);
    model->eval();
    const torch::NoGradGuard no_grad;
    const auto image = torch::rand({1, 3, 32, 32});
    EXPECT_TRUE(torch::equal(back.model->forward(image), model->forward(image)));
  }
}

TEST(ExportModel, TransformersDinov2SeesImagesSmallerThanItsPositions) {
  const TemporaryFolder folder;
  const auto out = folder / "hub";
  const auto* name = "vit_small_patch14_dinov2";
  export_model(out, *create_model(name), find_card(name), Library::HuggingFace);
  EXPECT_EQ(find_model_card(out).preprocess.height(), 518);
  std::filesystem::remove(out + "/preprocessor_config.json");
  EXPECT_EQ(find_model_card(out).preprocess.height(), 224);
}

TEST(ExportModel, ASwinOfTransformersIsRefusedWhereThatShiftsOtherwise) {
  const TemporaryFolder folder;
  const auto out = folder / "hub";
  const auto name = "swin_tiny_patch4_window7_224";
  const auto model = create_model(name, small_swin(7).img_size(56));
  export_model(out, *model, find_card(name), Library::HuggingFace);
  std::filesystem::remove(out + "/preprocessor_config.json");
  auto config = nlohmann::json::parse(std::ifstream(out + "/config.json"));
  config["image_size"] = 64;
  std::ofstream(out + "/config.json") << config;
  ModelFileOptions asked;
  expect_refusal<CheckpointError>(
      [&] { load_model(out, asked); },
      out + "/model.safetensors: is of Hugging Face Swin: ",
      {"windows of 7 fill each stage's map"});
  asked.options.img_size(64);
  EXPECT_EQ(load_model(out, asked).card.preprocess.height(), 64);
}

TEST(ExportModel, RefusesWhatTheLibraryDoesNotHave) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& name, const ModelOptions& options, Library library) {
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
  const auto gated = small_vit().num_classes(0).set("mlp_ratio", 4.5);
  EXPECT_NE(
      refusal("vit_giant_patch14_dinov2", gated, Library::HuggingFace).find("its gated MLPs"),
      std::string::npos);
  EXPECT_EQ(parse_library("timm"), Library::Timm);
  EXPECT_THROW(parse_library("keras"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine
