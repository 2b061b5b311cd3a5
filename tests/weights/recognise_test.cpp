#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"
#include "weights/pth_assembler.h"

namespace vitrine {
namespace {

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// A folder with the bare tensors of a model, as a library leaves them.
class Recognise : public testing::Test {
 protected:
  void write(const std::string& name, const ModelOptions& options = {}) {
    write_safetensors(path_, state_dict(*create_model(name, options)));
  }

  std::string refusal() const {
    try {
      const auto card = find_model_card(path_);
      return "taken as " + card.architecture;
    } catch (const CheckpointError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos);
      return message.substr(path_.size() + 2);
    }
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "model.safetensors";
};

TEST_F(Recognise, EachModelIsToldByItsTensorsOrAmongItsLikes) {
  constexpr int64_t kCheap = 12'000'000;
  int told = 0;
  for (const auto& name : list_models()) {
    const auto card = find_card(name);
    if (card.parameters > kCheap) {
      continue;
    }
    write(name);
    const auto answer = refusal();
    told += answer == "taken as " + name ? 1 : 0;
    EXPECT_TRUE(
        answer == "taken as " + name || (answer.find("fit several models") != std::string::npos &&
                                         answer.find(" " + name) != std::string::npos))
        << name << " is " << answer;
  }
  EXPECT_GE(told, 10);
}

TEST_F(Recognise, TellsImageSizeChannelsAndClasses) {
  write("deit_tiny_distilled_patch16_224", ModelOptions().img_size(96).in_chans(4).num_classes(7));
  const auto loaded = load_model(path_);
  EXPECT_EQ(loaded.card.architecture, "deit_tiny_distilled_patch16_224");
  EXPECT_EQ(loaded.card.preprocess.height(), 96);
  EXPECT_EQ(loaded.model->in_chans(), 4);
  EXPECT_EQ(loaded.model->num_classes(), 7);
}

TEST_F(Recognise, ModelsThatDifferInPreprocessingAloneAreNamed) {
  write("vit_tiny_patch16_224");
  EXPECT_EQ(
      refusal(),
      "has no card, and its tensors fit several models; --model says which: vit_tiny_patch16_224, "
      "deit_tiny_patch16_224");
  ModelFileOptions options;
  options.architecture = "deit_tiny_patch16_224";
  EXPECT_EQ(find_model_card(path_, options).preprocess.mean()[0], 0.485);
}

TEST_F(Recognise, WhatFitsNothingIsComparedWithTheNearest) {
  auto tensors = StateDict();
  for (const auto& item : state_dict(*create_model("vit_tiny_patch16_224"))) {
    if (item.key() != "patch_embed.proj.weight" && item.key() != "norm.weight") {
      tensors.insert(item.key(), item.value());
    }
  }
  tensors.insert("scale", torch::zeros({1}));
  write_safetensors(path_, tensors);
  EXPECT_EQ(
      refusal(),
      "has no card, and its tensors fit no model of the zoo; the nearest is vit_tiny_patch16_224 "
      "(but for the head, 2 of its tensors missing, 1 that it does not have), of which "
      "'patch_embed.proj.weight' is [192, *, 16, 16], here missing; 'vitrine inspect " +
          path_ +
          " --model vit_tiny_patch16_224' compares them all, and --model with --model-kwargs may "
          "describe it");
  write_safetensors(path_, {{"a", torch::zeros({2})}});
  EXPECT_NE(refusal().find("none of its tensors has a name"), std::string::npos) << refusal();
}

TEST_F(Recognise, AVitOfNoSizeOfTheZooIsToldByItsTensors) {
  const std::vector<std::pair<std::string, ModelOptions>> cases = {
      {"vit_tiny_patch16_224",
       ModelOptions().set("depth", int64_t{3}).set("mlp_ratio", 2.5).num_classes(7).img_size(64)},
      {"vit_tiny_patch16_224",
       ModelOptions()
           .set("embed_dim", int64_t{128})
           .set("depth", int64_t{2})
           .set("num_heads", int64_t{2})
           .set("patch_size", int64_t{8})
           .set("qkv_bias", false)
           .in_chans(1)
           .img_size(48)},
      {"deit_tiny_distilled_patch16_224", ModelOptions().set("depth", int64_t{2}).img_size(32)},
      {"vit_small_patch14_reg4_dinov2",
       ModelOptions()
           .set("depth", int64_t{2})
           .set("reg_tokens", int64_t{8})
           .set("mlp_layer", std::string("swiglu"))
           .img_size(56)},
      {"deit3_small_patch16_224", ModelOptions().set("depth", int64_t{2}).img_size(32)},
      {"vit_tiny_patch16_224",
       ModelOptions()
           .set("depth", int64_t{2})
           .set("class_token", false)
           .set("global_pool", std::string("avg"))
           .set("fc_norm", true)
           .img_size(32)}};
  for (const auto& [name, options] : cases) {
    SCOPED_TRACE(name);
    write(name, options);
    const auto loaded = load_model(path_);
    const auto wanted = create_model(name, options)->model_options().values();
    const auto found = loaded.model->model_options().values();
    for (const auto& option :
         {"embed_dim",
          "depth",
          "num_heads",
          "head_dim",
          "mlp_ratio",
          "mlp_layer",
          "patch_size",
          "in_chans",
          "num_classes",
          "img_size",
          "qkv_bias",
          "class_token",
          "distilled",
          "reg_tokens",
          "global_pool",
          "no_embed_class",
          "pos_embed"}) {
      EXPECT_EQ(found.at(option), wanted.at(option)) << option;
    }
    EXPECT_TRUE(loaded.report.resampled.empty());
    EXPECT_EQ(
        loaded.card.preprocess.height(),
        std::get<std::vector<int64_t>>(wanted.at("img_size")).front());
  }
}

TEST_F(Recognise, HeadsThatNothingTellsAreAskedFor) {
  const auto options = ModelOptions().set("embed_dim", int64_t{96}).set("depth", int64_t{3});
  write("vit_tiny_patch16_224", options);
  EXPECT_EQ(
      refusal(),
      "has no card, and its tensors fit no model of the zoo and do not tell num_heads; --model "
      "vit_tiny_patch16_224 --model-kwargs embed_dim=96,depth=3,num_heads=? with the right value "
      "for each ? opens it");
  write_text(
      folder_ / "config.json",
      R"({"model_type": "vit", "num_attention_heads": 3, "image_size": 224})");
  const auto loaded = load_model(path_);
  EXPECT_EQ(std::get<int64_t>(loaded.card.options.values().at("num_heads")), 3);
}

TEST_F(Recognise, ASwinOfNoSizeOfTheZooNeedsItsConfiguration) {
  const auto options = ModelOptions()
                           .set("embed_dim", int64_t{48})
                           .set("depths", std::vector<int64_t>{2, 2})
                           .set("num_heads", std::vector<int64_t>{2, 4})
                           .set("window_size", int64_t{4})
                           .img_size(64)
                           .num_classes(7);
  write("swin_tiny_patch4_window7_224", options);
  EXPECT_NE(refusal().find("do not tell img_size;"), std::string::npos) << refusal();
  write_text(
      folder_ / "config.json",
      R"({"model_type": "swin", "num_heads": [2, 4], "image_size": 64, "window_size": 4})");
  auto loaded = load_model(path_);
  EXPECT_TRUE(loaded.report.resampled.empty());
  EXPECT_EQ(loaded.model->num_classes(), 7);
  EXPECT_EQ(loaded.card.preprocess.height(), 64);

  write("swinv2_tiny_window8_256", options);
  write_text(
      folder_ / "config.json", R"({"model_type": "swinv2", "image_size": 64, "window_size": 4})");
  loaded = load_model(path_);
  const auto& found = loaded.card.options.values();
  EXPECT_EQ(std::get<std::vector<int64_t>>(found.at("window_size")), std::vector<int64_t>{4});
}

TEST_F(Recognise, AMobileVitOfNoSizeOfTheZooIsToldByItsTensors) {
  for (const std::string name : {"mobilevit_xxs", "mobilevitv2_050"}) {
    write(
        name,
        ModelOptions()
            .set("channels", std::vector<int64_t>{16, 24, 32, 48, 64})
            .set("transformer_dims", std::vector<int64_t>{32, 48, 64})
            .set("transformer_depths", std::vector<int64_t>{1, 2, 1})
            .num_classes(3));
    const auto loaded = load_model(path_);
    EXPECT_EQ(loaded.card.architecture, name);
    EXPECT_EQ(loaded.model->num_classes(), 3);
  }
}

TEST_F(Recognise, TensorsThatPromiseMoreThanTheFileHoldsAreRefused) {
  auto tensors = state_dict(
      *create_model("vit_tiny_patch16_224", ModelOptions().set("depth", int64_t{1}).img_size(32)));
  for (int i = 1; i < 900; ++i) {
    tensors.insert("blocks." + std::to_string(i) + ".norm1.weight", torch::zeros({192}));
  }
  write_safetensors(path_, tensors);
  EXPECT_NE(refusal().find("what its tensors tell describes a model of about"), std::string::npos)
      << refusal();
}

TEST_F(Recognise, TimmsConfigurationBesideItCounts) {
  write("vit_tiny_patch16_224", ModelOptions().num_classes(2));
  const auto config = folder_ / "config.json";
  write_text(
      config,
      R"({"architecture": "deit_tiny_patch16_224", "label_names": ["cat", "dog"], "pretrained_cfg":
          {"input_size": [3, 224, 224], "interpolation": "bilinear", "crop_pct": 0.5,
           "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]}})");
  const auto loaded = load_model(path_);
  EXPECT_EQ(loaded.card.architecture, "deit_tiny_patch16_224");
  EXPECT_EQ(loaded.card.labels, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(loaded.card.preprocess.interpolation(), Interpolation::Bilinear);
  EXPECT_EQ(loaded.card.preprocess.crop_pct(), 0.5);
  EXPECT_EQ(loaded.card.preprocess.mean()[1], 0.2);

  write_text(config, R"({"architecture": "resnet50", "pretrained_cfg": {}})");
  EXPECT_NE(refusal().find("resnet50"), std::string::npos) << refusal();
  write_text(config, "{");
  expect_refusal<CheckpointError>(
      [&] { find_model_card(path_); }, config + ": ", {"is no valid JSON"});
}

TEST_F(Recognise, HuggingFacesConfigurationBesideItCounts) {
  write("vit_tiny_patch16_224", ModelOptions().num_classes(2));
  write_text(
      folder_ / "config.json",
      R"({"model_type": "vit", "num_attention_heads": 6, "layer_norm_eps": 1e-12,
          "image_size": 224, "id2label": {"0": "cat", "1": "dog"}})");
  write_text(
      folder_ / "preprocessor_config.json",
      R"({"size": {"height": 224, "width": 224}, "resample": 3, "do_normalize": true,
          "image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.6, 0.7]})");
  const auto loaded = load_model(path_);
  EXPECT_EQ(loaded.card.architecture, "vit_tiny_patch16_224");
  EXPECT_EQ(loaded.card.labels, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(loaded.card.preprocess.crop_mode(), CropMode::Squash);
  EXPECT_EQ(loaded.card.preprocess.crop_pct(), 1);
  EXPECT_EQ(loaded.card.preprocess.interpolation(), Interpolation::Bicubic);
  EXPECT_EQ(loaded.card.preprocess.mean()[1], 0.2);
  const auto& options = loaded.card.options.values();
  EXPECT_EQ(std::get<int64_t>(options.at("num_heads")), 6);
  EXPECT_EQ(std::get<double>(options.at("norm_eps")), 1e-12);
}

TEST_F(Recognise, TimmsModelArgumentsAndOlderConfigurationsCount) {
  write("deit_tiny_patch16_224", ModelOptions().num_classes(2).img_size(96));
  const auto config = folder_ / "config.json";
  write_text(
      config,
      R"({"architecture": "deit_tiny_patch16_224", "model_args": {"img_size": 96},
          "pretrained_cfg": {"input_size": [3, 224, 224]}})");
  auto card = find_model_card(path_);
  EXPECT_EQ(card.preprocess.height(), 96);
  EXPECT_EQ(card.preprocess.mean()[0], 0.485);  // the model's own, where nothing is said
  write_text(config, R"({"architecture": "deit_tiny_patch16_224", "mean": [0.1, 0.2, 0.3]})");
  card = find_model_card(path_);
  EXPECT_EQ(card.preprocess.mean()[0], 0.1);
  EXPECT_EQ(card.preprocess.height(), 224);
}

TEST_F(Recognise, ANumberAloneIsTheShorterSideOfAMobileViT) {
  write("mobilevit_xxs");
  write_text(folder_ / "config.json", R"({"model_type": "mobilevit"})");
  write_text(
      folder_ / "preprocessor_config.json",
      R"({"feature_extractor_type": "MobileViTFeatureExtractor", "size": 288, "crop_size": 256,
          "do_center_crop": true, "resample": 2})");
  const auto preprocess = find_model_card(path_).preprocess;
  EXPECT_EQ(preprocess.crop_mode(), CropMode::Center);
  EXPECT_EQ(static_cast<int>(256 / preprocess.crop_pct()), 288);
  EXPECT_EQ(preprocess.mean()[0], 0);
}

TEST_F(Recognise, AnotherFamilysConfigurationDoesNotCount) {
  write("deit_tiny_distilled_patch16_224", ModelOptions().num_classes(2));
  const auto config = folder_ / "config.json";
  write_text(config, R"({"model_type": "bert", "id2label": {"0": "a", "1": "b"}})");
  EXPECT_TRUE(find_model_card(path_).labels.empty());
  write_text(
      config, R"({"model_type": "swin", "num_heads": [1, 2], "id2label": {"0": "a", "1": "b"}})");
  ModelFileOptions options;
  options.architecture = "deit_tiny_distilled_patch16_224";
  EXPECT_TRUE(find_model_card(path_, options).labels.empty());
}

TEST_F(Recognise, ADamagedConfigurationBesideItIsNamed) {
  write("vit_tiny_patch16_224", ModelOptions().num_classes(2));
  write_text(folder_ / "config.json", R"({"model_type": "vit"})");
  const auto processor = folder_ / "preprocessor_config.json";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"size": {"longest_edge": 224}})",
       "size has neither height and width nor shortest_edge, in pixels"},
      {R"({"size": {"height": -1, "width": 224}})", "size is -1, expected a side of an image"},
      {R"({"image_mean": [0, 0, 0], "image_std": [0, 1, 1]})", "image_std is not positive"},
      {R"({"image_mean": [0, 0]})", "image_mean has 2 values, expected 3"},
      {R"({"resample": "cubic"})", "resample is a string, expected a whole number"},
      {"[]", "is a list, expected a JSON object"},
      {std::string(100, '['), "has 65 objects and lists within each other, expected at most 64"},
      {std::string(5 << 20, ' '), "has 5242880 bytes, expected at most 4194304"}};
  for (const auto& [text, expected] : cases) {
    write_text(processor, text);
    try {
      find_model_card(path_);
      ADD_FAILURE() << text;
    } catch (const CheckpointError& error) {
      EXPECT_EQ(error.what(), processor + ": " + expected);
    }
  }
}

TEST_F(Recognise, WindowsOfSwinV2AreToldByWhatTellsThem) {
  write("swinv2_tiny_window8_256");
  EXPECT_NE(refusal().find("swinv2_tiny_window16_256"), std::string::npos) << refusal();
  write_text(
      folder_ / "config.json",
      R"({"model_type": "swinv2", "window_size": 16, "image_size": 256,
          "pretrained_window_sizes": [0, 0, 0, 0]})");
  EXPECT_EQ(find_model_card(path_).architecture, "swinv2_tiny_window16_256");
  std::filesystem::remove(folder_ / "config.json");

  // Microsoft's files hold the table of coordinates, which a model derives.
  auto tensors = state_dict(*create_model("swinv2_tiny_window8_256"));
  tensors.insert(
      "layers.0.blocks.0.attn.relative_coords_table", torch::full({1, 15, 15, 2}, 1.0566));
  write_safetensors(path_, tensors);
  EXPECT_EQ(find_model_card(path_).architecture, "swinv2_tiny_window8_256");
}

/// What the card says of images: "256 to 224 center bicubic 0.485".
std::string preprocessing_of(const ModelCard& card) {
  const auto& found = card.preprocess;
  const auto resized = static_cast<int64_t>(static_cast<double>(found.height()) / found.crop_pct());
  std::ostringstream text;
  text << resized << " to " << found.height() << ' ' << to_string(found.crop_mode()) << ' '
       << to_string(found.interpolation()) << ' ' << found.mean()[0];
  return text.str();
}

/// A Swin's tensors by the names of Microsoft's files, but for those of attention.
StateDict microsofts(const std::string& name) {
  StateDict tensors;
  for (const auto& item : state_dict(*create_model(name))) {
    auto key = item.key();
    for (int stage = 1; stage < 4; ++stage) {
      const auto merging = "layers." + std::to_string(stage) + ".downsample.";
      if (key.compare(0, merging.size(), merging) == 0) {
        key.replace(0, merging.size(), "layers." + std::to_string(stage - 1) + ".downsample.");
        break;
      }
    }
    key = key.compare(0, 8, "head.fc.") == 0 ? "head." + key.substr(8) : key;
    tensors.insert(key, item.value());
  }
  return tensors;
}

TEST_F(Recognise, MicrosoftsSwinsAreEvaluatedAsThere) {
  write_safetensors(path_, microsofts("swin_tiny_patch4_window7_224"));
  EXPECT_EQ(preprocessing_of(find_model_card(path_)), "256 to 224 center bicubic 0.485");
  write_safetensors(path_, microsofts("swin_base_patch4_window12_384"));
  EXPECT_EQ(preprocessing_of(find_model_card(path_)), "384 to 384 squash bicubic 0.485");
  ModelFileOptions options;
  options.architecture = "swinv2_tiny_window8_256";
  write_safetensors(path_, microsofts(*options.architecture));
  EXPECT_EQ(preprocessing_of(find_model_card(path_, options)), "292 to 256 center bicubic 0.485");
}

/// The names and shapes of `model` in tests/golden/layouts/sources.txt, with zeros.
StateDict zeros_of(const std::string& model) {
  std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/layouts/sources.txt");
  StateDict tensors;
  std::string key;
  std::string rest;
  bool inside = false;
  while (file >> key >> rest) {
    if (key == "model") {
      inside = rest == model;
    } else if (inside) {
      std::vector<int64_t> shape;
      std::istringstream sizes(rest == "-" ? "" : rest);
      for (std::string size; std::getline(sizes, size, 'x');) {
        shape.push_back(std::stoll(size));
      }
      tensors.insert(key, torch::zeros(shape));
    }
  }
  return tensors;
}

TEST_F(Recognise, MobileVitsOfMlCvnetsAreEvaluatedAsThere) {
  write_safetensors(path_, zeros_of("cvnets_mobilevit"));
  EXPECT_EQ(preprocessing_of(find_model_card(path_)), "288 to 256 center bilinear 0");
  write_safetensors(path_, zeros_of("cvnets_mobilevit_v2"));
  EXPECT_EQ(preprocessing_of(find_model_card(path_)), "288 to 256 center bicubic 0");
  ModelFileOptions options;
  options.architecture = "mobilevitv2_200.cvnets_in22k_ft_in1k_384";
  EXPECT_EQ(preprocessing_of(find_model_card(path_, options)), "384 to 384 center bicubic 0");
}

/// A PyTorch file with tensors of these shapes, of one repeated value, whose storage is larger than
/// that, as no file may stand for far more values than it holds.
std::string repeated_value_pth(const StateDict& tensors) {
  using pickle::dict;
  using pickle::numbers;
  using pickle::storage;
  using pickle::tensor;
  using pickle::text;
  constexpr std::size_t kValues = std::size_t{2} << 20;
  std::vector<std::string> pairs;
  for (const auto& item : tensors) {
    pairs.push_back(text(item.key()));
    const std::vector<int64_t> steps(static_cast<std::size_t>(item.value().dim()), 0);
    pairs.push_back(tensor(
        storage("FloatStorage", "0", kValues),
        0,
        numbers(item.value().sizes().vec()),
        numbers(steps)));
  }
  return torch_zip(dict(pairs), {{"0", std::string(4 * kValues, '\0')}});
}

TEST_F(Recognise, DinosOwnFilesArePyTorchs) {
  const auto tensors = state_dict(*create_model("vit_small_patch16_224.dino"));
  write_safetensors(path_, tensors);  // timm's
  auto card = find_model_card(path_);
  EXPECT_EQ(preprocessing_of(card), "248 to 224 center bicubic 0.485");
  EXPECT_EQ(card.options.values().count("interpolate_offset"), 0U);
  const auto pth = folder_ / "dino.pth";
  write_text(pth, repeated_value_pth(tensors));
  card = find_model_card(pth);
  EXPECT_EQ(card.architecture, "vit_small_patch16_224.dino");
  EXPECT_EQ(preprocessing_of(card), "256 to 224 center bicubic 0.485");
  EXPECT_EQ(std::get<double>(card.options.values().at("interpolate_offset")), 0.1);
  EXPECT_FALSE(std::get<bool>(card.options.values().at("interpolate_antialias")));
}

TEST_F(Recognise, Dinov2sOwnFilesAreToldByTheirMaskToken) {
  auto tensors = state_dict(*create_model("vit_small_patch14_dinov2"));
  write_safetensors(path_, tensors);
  EXPECT_EQ(preprocessing_of(find_model_card(path_)), "518 to 518 center bicubic 0.485");
  tensors.insert("mask_token", torch::zeros({1, 384}));
  write_safetensors(path_, tensors);
  const auto loaded = load_model(path_);
  EXPECT_EQ(preprocessing_of(loaded.card), "256 to 224 center bicubic 0.485");
  const auto& options = loaded.card.options.values();
  EXPECT_EQ(std::get<double>(options.at("interpolate_offset")), 0.1);
  EXPECT_FALSE(std::get<bool>(options.at("interpolate_antialias")));
  EXPECT_EQ(loaded.report.resampled, std::vector<std::string>{"pos_embed"});
  EXPECT_EQ(state_dict(*loaded.model)["pos_embed"].size(1), 257);
}

TEST_F(Recognise, Dinov2sRegistersKeepTimmsRuleOfPositions) {
  auto tensors = zeros_of("dinov2_teacher");
  write_safetensors(path_, tensors);
  ModelFileOptions named;
  named.architecture = "vit_small_patch14_reg4_dinov2";
  const auto card = find_model_card(path_, named);
  EXPECT_EQ(preprocessing_of(card), "256 to 224 center bicubic 0.485");
  EXPECT_EQ(card.options.values().count("interpolate_offset"), 0U);
}

/// A DeiT's tensors as transformers calls them in memory, with a distillation token and one head.
StateDict deit_with_one_head() {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"cls_token", "deit.embeddings.cls_token"},
      {"reg_token", "deit.embeddings.distillation_token"},
      {"pos_embed", "deit.embeddings.position_embeddings"},
      {"patch_embed.proj", "deit.embeddings.patch_embeddings.projection"},
      {"blocks", "deit.layers"},
      {"norm1", "layernorm_before"},
      {"norm2", "layernorm_after"},
      {"attn.proj", "attention.o_proj"},
      {"norm.", "deit.layernorm."},
      {"head", "classifier"}};
  StateDict tensors;
  const auto options = ModelOptions().set("reg_tokens", int64_t{1});
  for (const auto& item : state_dict(*create_model("deit_tiny_patch16_224", options))) {
    auto key = item.key();
    for (const auto& [ours, theirs] : names) {
      const auto place = key.find(ours);
      key = place == std::string::npos ? key : key.replace(place, ours.size(), theirs);
    }
    const auto qkv = key.find("attn.qkv");
    for (int64_t part = 0; qkv != std::string::npos && part < 3; ++part) {
      const auto name = std::string("attention.") + "qkv"[part] + "_proj";
      tensors.insert(
          std::string(key).replace(qkv, 8, name), item.value().chunk(3)[part].contiguous());
    }
    if (qkv == std::string::npos) {
      tensors.insert(key, item.value());
    }
  }
  return tensors;
}

TEST_F(Recognise, ADeitMayHaveATokenMoreThanHeads) {
  write_safetensors(path_, deit_with_one_head());
  const auto loaded = load_model(path_);
  EXPECT_EQ(loaded.card.architecture, "deit_tiny_patch16_224");
  EXPECT_EQ(loaded.card.preprocess.height(), 224);
  const auto& options = loaded.card.options.values();
  EXPECT_EQ(std::get<int64_t>(options.at("reg_tokens")), 1);
  EXPECT_EQ(std::get<double>(options.at("norm_eps")), 1e-12);

  ModelFileOptions named;
  named.architecture = "deit_tiny_distilled_patch16_224";
  EXPECT_EQ(load_model(path_, named).model->classifier_names().size(), 1U);
}

TEST_F(Recognise, VitPytorchsFilesNeedANameAlone) {
  auto tensors = StateDict();
  tensors.insert("cls_token", torch::zeros({1, 192}));
  tensors.insert("pos_embedding", torch::zeros({197, 192}));
  tensors.insert("to_patch_embedding.1.weight", torch::zeros({768}));
  tensors.insert("to_patch_embedding.1.bias", torch::zeros({768}));
  tensors.insert("to_patch_embedding.2.weight", torch::zeros({192, 768}));
  tensors.insert("to_patch_embedding.2.bias", torch::zeros({192}));
  tensors.insert("to_patch_embedding.3.weight", torch::zeros({192}));
  tensors.insert("transformer.layers.0.0.to_qkv.weight", torch::zeros({576, 192}));
  write_safetensors(path_, tensors);
  EXPECT_EQ(
      refusal(),
      "has no card, and a checkpoint of vit-pytorch ViT does not tell its heads and pooling; "
      "--model and --model-kwargs describe it");
  ModelFileOptions named;
  named.architecture = "vit_tiny_patch16_224";
  const auto card = find_model_card(path_, named);
  const auto& options = card.options.values();
  EXPECT_FALSE(std::get<bool>(options.at("qkv_bias")));
  EXPECT_TRUE(std::get<bool>(options.at("dual_patch_norm")));
  EXPECT_FALSE(std::get<bool>(options.at("fc_norm")));
  EXPECT_EQ(std::get<double>(options.at("norm_eps")), 1e-5);
}

}  // namespace
}  // namespace vitrine
