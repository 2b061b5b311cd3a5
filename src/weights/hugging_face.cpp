#include "hugging_face.h"

#include <torch/types.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/mobilevit.h"
#include "vitrine/models/swin.h"
#include "vitrine/models/vit.h"

#include "export_sizes.h"
#include "key_export.h"
#include "key_pattern.h"

namespace vitrine::detail {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// A model as transformers has it.
struct Description {
  std::string layout;  // of `key_layouts`
  std::string name;    // of its classes, such as "ViT"
  std::string prefix;  // of all tensors but the classifier's, where there is one
  OrderedJson config;
  bool two_heads = false;
};

void require(bool holds, const std::string& reason) {
  if (!holds) {
    throw Error("transformers has no such model: " + reason);
  }
}

/// A side, or rows and columns.
OrderedJson size_json(const std::array<std::int64_t, 2>& size) {
  return size[0] == size[1] ? OrderedJson(size[0]) : OrderedJson(size);
}

/// Whether its layers are scaled, which those of transformers' DINOv2 alone are.
bool has_layer_scale(const VisionTransformerOptions& of) {
  return of.init_values() != 0;
}

/// Whether it is a DeiT whose only head sees the class token; its distillation token is a register
/// to vitrine.
bool is_deit_of_one_head(const VisionTransformerOptions& of) {
  return of.reg_tokens() == 1 && !has_layer_scale(of) && !of.no_embed_class();
}

std::int64_t mlp_width(const VisionTransformerOptions& of) {
  return static_cast<std::int64_t>(static_cast<double>(of.embed_dim()) * of.mlp_ratio());
}

/// The mlp_ratio there of a gated MLP: its hidden features are two thirds of so many times the
/// tokens' width, to a multiple of 8, and the weights hold as many again that gate them. 0 where
/// there is none.
std::int64_t gated_ratio(const VisionTransformerOptions& of) {
  constexpr std::int64_t kMostRatio = 64;
  for (std::int64_t ratio = 1; ratio <= kMostRatio; ++ratio) {
    if (mlp_width(of) == 2 * ((ratio * of.embed_dim() * 2 / 3 + 7) / 8 * 8)) {
      return ratio;
    }
  }
  return 0;
}

void require_known_vit(const VisionTransformerOptions& of) {
  const bool scaled = has_layer_scale(of);
  const bool registers = of.reg_tokens() > 0;
  const bool both = of.global_pool() == "token_avg";
  require(
      (of.global_pool() == "token" || both) && !of.normalises_pooled(),
      "its ViT pools the class token, after the last norm");
  require(!both || scaled, "only its DINOv2 classifies by the patches, too");
  require(of.pos_embed() == "learn" && !of.dual_patch_norm(), "its positions are learned");
  require(
      of.head_dim() == 0 || of.head_dim() * of.num_heads() == of.embed_dim(),
      "its heads are not wider than the tokens");
  const bool one_head = is_deit_of_one_head(of);
  require(
      of.no_embed_class() == (registers && !one_head),
      "only its DINOv2 with registers has such positions");
  require(!registers || scaled || one_head, "only its DINOv2 has registers");
  require(!scaled || !of.distilled(), "its DINOv2 has no distillation token");
  const bool gated = of.mlp_layer() == "swiglu";
  require(scaled || !gated, "only its DINOv2 has gated MLPs");
  require(
      !scaled || of.num_classes() == 0 || both,
      "its DINOv2 classifies by the class token and the patches' mean (global_pool token_avg): "
      "export it without a head");
  require(
      !scaled || gated || mlp_width(of) % of.embed_dim() == 0,
      "its MLPs are a whole number of times as wide");
  require(
      !gated || gated_ratio(of) > 0,
      "its gated MLPs have two thirds of a whole number of times the tokens' width, to a multiple "
      "of 8, not " +
          std::to_string(mlp_width(of) / 2) + " hidden features");
}

/// What ViT, DeiT and DINOv2 have in common.
OrderedJson vit_config(const VisionTransformerOptions& of) {
  return {
      {"model_type", "vit"},
      {"hidden_size", of.embed_dim()},
      {"num_hidden_layers", of.depth()},
      {"num_attention_heads", of.num_heads()},
      {"hidden_act", "gelu"},
      {"hidden_dropout_prob", 0.0},
      {"attention_probs_dropout_prob", 0.0},
      {"layer_norm_eps", of.norm_eps()},
      {"image_size", size_json(of.img_size())},
      {"patch_size", of.patch_size()},
      {"num_channels", of.in_chans()},
      {"qkv_bias", of.qkv_bias()}};
}

Description describe_dinov2(const VisionTransformerOptions& of) {
  const bool gated = of.mlp_layer() == "swiglu";
  const bool registers = of.reg_tokens() > 0;
  auto config = vit_config(of);
  config["mlp_ratio"] = gated ? gated_ratio(of) : mlp_width(of) / of.embed_dim();
  config["use_swiglu_ffn"] = gated;
  config["layerscale_value"] = of.init_values();
  config["model_type"] = registers ? "dinov2_with_registers" : "dinov2";
  if (registers) {
    config["num_register_tokens"] = of.reg_tokens();
  }
  return {
      registers ? "Hugging Face DINOv2 with registers" : "Hugging Face DINOv2",
      registers ? "Dinov2WithRegisters" : "Dinov2",
      registers ? "dinov2_with_registers." : "dinov2.",
      config};
}

Description describe(const VisionTransformerOptions& of) {
  require_known_vit(of);
  if (has_layer_scale(of)) {
    return describe_dinov2(of);
  }
  const bool one_head = is_deit_of_one_head(of);
  const bool deit = of.distilled() || one_head;
  auto config = vit_config(of);
  config["intermediate_size"] = mlp_width(of);
  config["model_type"] = deit ? "deit" : "vit";
  return {
      one_head ? "Hugging Face DeiT with one head" : "Hugging Face ViT",
      deit ? "DeiT" : "ViT",
      deit ? "deit." : "vit.",
      config,
      of.distilled()};
}

Description describe(const SwinTransformerOptions& of) {
  require(of.window_size().size() == 1, "its Swin has one window for all stages");
  const bool second = of.version() == 2;
  const auto misfit = size_misfit(of, second ? "Hugging Face Swin V2" : "Hugging Face Swin");
  require(misfit.empty(), misfit);
  const auto stages = of.depths().size();
  OrderedJson config = {
      {"model_type", second ? "swinv2" : "swin"},
      {"image_size", size_json(of.img_size())},
      {"patch_size", of.patch_size()},
      {"num_channels", of.in_chans()},
      {"embed_dim", of.embed_dim()},
      {"depths", of.depths()},
      {"num_heads", of.num_heads()},
      {"window_size", of.window_size().front()},
      {"mlp_ratio", of.mlp_ratio()},
      {"qkv_bias", of.qkv_bias()},
      {"hidden_dropout_prob", 0.0},
      {"attention_probs_dropout_prob", 0.0},
      {"drop_path_rate", of.drop_path_rate()},
      {"hidden_act", "gelu"},
      {"use_absolute_embeddings", false},
      {"layer_norm_eps", of.norm_eps()}};
  if (second) {
    const auto& before = of.pretrained_window_sizes();
    config["pretrained_window_sizes"] =
        before.size() == stages ? before : std::vector<std::int64_t>(stages, before.front());
  }
  return {
      second ? "Hugging Face Swin V2" : "Hugging Face Swin",
      second ? "Swinv2" : "Swin",
      second ? "swinv2." : "swin.",
      config};
}

Description describe(const MobileVitOptions& of, const PreprocessOptions& preprocess) {
  const bool second = of.version() == 2;
  const MobileVitOptions usual;
  const auto& channels = of.channels();
  require(
      channels.size() == usual.channels().size() &&
          of.transformer_depths() == std::vector<std::int64_t>{2, 4, 3} &&
          of.strides() == usual.strides() && of.stem_stride() == usual.stem_stride(),
      "its MobileViT has five stages, the last three with 2, 4 and 3 transformer blocks");
  const auto misfit = size_misfit(of, {preprocess.height(), preprocess.width()});
  require(misfit.empty(), misfit);
  OrderedJson config = {
      {"model_type", second ? "mobilevitv2" : "mobilevit"},
      {"num_channels", of.in_chans()},
      {"image_size", preprocess.height()},
      {"patch_size", of.patch_size()},
      {"expand_ratio", of.expansion()},
      {"hidden_act", "silu"},
      {"conv_kernel_size", 3},
      {"output_stride", 32},
      {"layer_norm_eps", 1e-5}};
  if (second) {
    const auto width = static_cast<double>(of.stem_chans()) / 32;
    require(
        of.blocks() == std::vector<std::int64_t>{1, 2, 1, 1, 1} &&
            static_cast<double>(channels.back()) == std::floor(512 * width),
        "its MobileViT V2 differs in width alone");
    config["width_multiplier"] = width;
    return {"Hugging Face MobileViT V2", "MobileViTV2", "mobilevitv2.", config};
  }
  require(of.blocks() == usual.blocks() && of.head_chans() > 0, "its MobileViT has other stages");
  std::vector<std::int64_t> neck = {of.stem_chans()};
  neck.insert(neck.end(), channels.begin(), channels.end());
  neck.push_back(of.head_chans());
  config["hidden_sizes"] = of.transformer_dims();
  config["neck_hidden_sizes"] = neck;
  config["num_attention_heads"] = of.num_heads();
  config["mlp_ratio"] = 2.0;
  config["hidden_dropout_prob"] = 0.0;
  config["attention_probs_dropout_prob"] = 0.0;
  config["qkv_bias"] = true;
  return {"Hugging Face MobileViT", "MobileViT", "mobilevit.", config};
}

Description describe(const Classifier& model, const ModelCard& card) {
  if (const auto* vit = dynamic_cast<const VisionTransformerImpl*>(&model)) {
    return describe(vit->options);
  }
  if (const auto* swin = dynamic_cast<const SwinTransformerImpl*>(&model)) {
    return describe(swin->options);
  }
  return describe(dynamic_cast<const MobileVitImpl&>(model).options, card.preprocess);
}

/// `name` with `to` in the place of `from`, where that is part of it.
std::string replaced(std::string name, const std::string& from, const std::string& to) {
  const auto at = name.find(from);
  return at == std::string::npos ? name : name.replace(at, from.size(), to);
}

/// What the options decide of names that the layout's rules have in several forms.
StateDict finish_names(const StateDict& tensors, const Description& description, bool head) {
  const bool gated = description.config.value("use_swiglu_ffn", false);
  StateDict result;
  for (const auto& item : tensors) {
    auto name = item.key();
    if (gated) {
      name = replaced(
          replaced(name, ".mlp.fc1.", ".mlp.weights_in."), ".mlp.fc2.", ".mlp.weights_out.");
    }
    if (description.two_heads && starts_with(name, "classifier.")) {
      name = "cls_" + name;
    }
    const bool in_head = starts_with(name, "classifier.") || starts_with(name, "cls_classifier.") ||
                         starts_with(name, "distillation_classifier.");
    result.insert(head && !in_head ? description.prefix + name : name, item.value());
  }
  return result;
}

/// The filter by Pillow's number.
int resample_number(Interpolation interpolation) {
  return interpolation == Interpolation::Nearest    ? 0
         : interpolation == Interpolation::Bilinear ? 2
                                                    : 3;
}

/// The side that the shorter one of an image is scaled to before the crop.
std::int64_t shortest_edge(const PreprocessOptions& of) {
  const auto side = std::min(of.height(), of.width());
  const auto shorter =
      static_cast<std::int64_t>(std::floor(static_cast<double>(side) / of.crop_pct()));
  // The first row of a crop that is half a pixel from the middle: rounded down there, here to an
  // even number.
  const auto even = static_cast<double>(side) / static_cast<double>(shorter - 1);
  require(
      (shorter - side) % 4 != 3,
      "its image processors crop " + std::to_string(side) + " of " + std::to_string(shorter) +
          " pixels one pixel away; --crop-pct " + OrderedJson(std::floor(1e4 * even) / 1e4).dump() +
          " is another way");
  return shorter;
}

std::string preprocessor_config(const PreprocessOptions& of, const std::string& name) {
  require(of.crop_mode() != CropMode::Border, "its image processors do not pad");
  const bool mobile = starts_with(name, "MobileViT");
  const bool squash = of.crop_mode() == CropMode::Squash && of.crop_pct() == 1;
  require(of.crop_mode() == CropMode::Center || squash, "its image processors do not crop so");
  require(
      squash || of.height() == of.width(),
      "its image processors crop squares alone; --crop-mode squash with --crop-pct 1 is another "
      "way");
  const bool plain =
      of.mean() == std::array<double, 3>{0, 0, 0} && of.std() == std::array<double, 3>{1, 1, 1};
  OrderedJson json = {
      {"image_processor_type",
       mobile   ? "MobileViTImageProcessor"
       : squash ? "ViTImageProcessor"
                : "BitImageProcessor"},
      {"do_resize", true},
      {"resample", resample_number(of.interpolation())},
      {"do_rescale", true},
      {"rescale_factor", 1.0 / 255},
      {"do_normalize", !plain},
      {"image_mean", of.mean()},
      {"image_std", of.std()}};
  const OrderedJson sides = {{"height", of.height()}, {"width", of.width()}};
  if (squash) {
    json["size"] = sides;
    json["do_center_crop"] = false;
  } else {
    json["size"] = {{"shortest_edge", shortest_edge(of)}};
    json["do_center_crop"] = true;
    json["crop_size"] = sides;
  }
  if (mobile) {
    // The weights of the first version are for BGR there, and were turned as they were written.
    json["do_flip_channel_order"] = name == "MobileViT";
  }
  return json.dump(2) + "\n";
}

}  // namespace

HuggingFaceFiles to_hugging_face(const Classifier& model, const ModelCard& card) {
  auto description = describe(model, card);
  const auto classes = model.num_classes();
  const bool head = classes > 0;
  HuggingFaceFiles files;
  auto tensors = to_layout(state_dict(model), description.layout);
  if (starts_with(description.name, "Dinov2")) {
    const auto& like = tensors["embeddings.cls_token"];
    tensors.insert("embeddings.mask_token", torch::zeros({1, like.size(2)}, like.options()));
  }
  files.tensors = finish_names(tensors, description, head);
  auto& config = description.config;
  config["architectures"] = {
      description.name + (!head                   ? "Model"
                          : description.two_heads ? "ForImageClassificationWithTeacher"
                                                  : "ForImageClassification")};
  if (head) {
    auto labels = OrderedJson::object();
    auto indices = OrderedJson::object();
    for (std::int64_t i = 0; i < classes; ++i) {
      const auto index = static_cast<std::size_t>(i);
      const auto label = card.labels.empty() ? "LABEL_" + std::to_string(i) : card.labels[index];
      labels[std::to_string(i)] = label;
      indices[label] = i;
    }
    config["id2label"] = labels;
    config["label2id"] = indices;
  }
  files.config = config.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  files.preprocessor_config = preprocessor_config(card.preprocess, description.name);
  return files;
}

}  // namespace vitrine::detail
