#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

#include "weights/bare_tensors.h"

namespace vitrine {
namespace {

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

/// Vision transformers of no size of the zoo, each with the model of the zoo that it resembles.
std::vector<std::pair<std::string, ModelOptions>> unlisted_vits() {
  return {
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
}

TEST_F(Recognise, AMobileVitV2OfNoWidthOfTheZooIsToldByItsTensors) {
  const auto list = [](std::vector<int64_t> values) { return values; };
  write(
      "mobilevitv2_050",
      ModelOptions()
          .num_classes(7)
          .set("stem_chans", int64_t{24})
          .set("channels", list({48, 80, 152, 232, 304}))
          .set("transformer_dims", list({80, 112, 152})));
  const auto loaded = load_model(path_);
  EXPECT_EQ(loaded.card.family, "mobilevit");
  EXPECT_EQ(loaded.model->num_features(), 304);
}

TEST_F(Recognise, SaysThatHeadsAreTakenToBe64Wide) {
  const auto [name, options] = unlisted_vits()[1];
  write(name, options);
  EXPECT_EQ(load_model(path_).assumed, "heads taken to be 64 wide");
  ModelFileOptions told;
  told.options.set("num_heads", int64_t{4});
  EXPECT_EQ(load_model(path_, told).assumed, "");
  write("deit_tiny_distilled_patch16_224");
  EXPECT_EQ(load_model(path_).assumed, "");
}

TEST_F(Recognise, AVitOfNoSizeOfTheZooIsToldByItsTensors) {
  for (const auto& [name, options] : unlisted_vits()) {
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
      "for each ? may describe it");
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

}  // namespace
}  // namespace vitrine
