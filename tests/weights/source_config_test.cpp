#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"

#include "support/refusal.h"
#include "weights/bare_tensors.h"

namespace vitrine {
namespace {

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

TEST_F(Recognise, AConfigurationThatComputesOtherwiseIsRefused) {
  const auto config = folder_ / "config.json";
  const auto expect_refused = [&](const std::string& text, const std::string& expected) {
    write_text(config, text);
    try {
      find_model_card(path_);
      ADD_FAILURE() << text;
    } catch (const CheckpointError& error) {
      EXPECT_EQ(error.what(), config + ": " + expected);
    }
  };
  write("mobilevit_xxs");
  expect_refused(
      R"({"model_type": "mobilevit", "output_stride": 16})", "output_stride is 16, expected 32");
  expect_refused(
      R"({"model_type": "mobilevit", "layer_norm_eps": 0.1})",
      "layer_norm_eps is 0.1, expected 1e-05");
  expect_refused(
      R"({"model_type": "mobilevit", "hidden_act": "relu"})",
      "hidden_act is 'relu', expected 'silu'");
  write("vit_tiny_patch16_224", ModelOptions().num_classes(2));
  expect_refused(
      R"({"model_type": "vit", "hidden_act": "relu"})", "hidden_act is 'relu', expected 'gelu'");
}

TEST_F(Recognise, HeadsOfAMobileViTAreThoseOfItsConfiguration) {
  write("mobilevit_xxs");
  write_text(folder_ / "config.json", R"({"model_type": "mobilevit", "num_attention_heads": 2})");
  const auto loaded = load_model(path_);
  EXPECT_EQ(std::get<int64_t>(loaded.model->model_options().values().at("num_heads")), 2);
}

TEST_F(Recognise, PretrainedWindowsOfStagesThatThereAreNotAreLeftOut) {
  const std::vector<int64_t> depths = {1, 1};
  const std::vector<int64_t> heads = {2, 4};
  write(
      "swinv2_tiny_window8_256",
      ModelOptions()
          .img_size(64)
          .set("embed_dim", int64_t{16})
          .set("depths", depths)
          .set("num_heads", heads)
          .set("window_size", int64_t{4}));
  write_text(
      folder_ / "config.json",
      R"({"model_type": "swinv2", "image_size": 64, "window_size": 4, "depths": [1, 1],
          "num_heads": [2, 4], "pretrained_window_sizes": [0, 0, 0, 0]})");
  EXPECT_EQ(load_model(path_).model->num_classes(), 1000);
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

}  // namespace
}  // namespace vitrine
