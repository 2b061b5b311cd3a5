#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

#include "weights/bare_tensors.h"
#include "weights/pth_assembler.h"

namespace vitrine {
namespace {

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
