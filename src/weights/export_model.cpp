#include "vitrine/weights/export_model.h"

#include <torch/types.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/models/swin.h"
#include "vitrine/models/vit.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

#include "export_sizes.h"
#include "hugging_face.h"
#include "key_export.h"

namespace vitrine {
namespace {

const std::vector<std::pair<Library, std::string>>& libraries() {
  static const std::vector<std::pair<Library, std::string>> names = {
      {Library::Timm, "timm"},
      {Library::Torchvision, "torchvision"},
      {Library::HuggingFace, "huggingface"}};
  return names;
}

[[noreturn]] void refuse(const std::string& library, const std::string& reason) {
  throw Error(library + " has no such model: " + reason);
}

/// What one option of a ViT stands against torchvision's.
const char* vit_misfit(const VisionTransformerOptions& of) {
  return of.global_pool() != "token" || of.fc_norm().value_or(false)
             ? "it pools means, not the class token"
         : of.distilled() || of.reg_tokens() > 0 ? "it has tokens beside the class token"
         : of.init_values() != 0                 ? "its branches are scaled (LayerScale)"
         : of.mlp_layer() != "mlp"               ? "its MLPs are gated"
         : of.pos_embed() != "learn" || of.no_embed_class()
             ? "its class token has no learned position"
         : of.dual_patch_norm() || !of.qkv_bias() ? "it normalises patches, or has no qkv bias"
         : of.head_dim() != 0 && of.head_dim() * of.num_heads() != of.embed_dim()
             ? "its heads are wider than its tokens"
             : nullptr;
}

/// The tables that torchvision's Swin keeps in its state dict.
void add_swin_tables(StateDict& tensors, const Classifier& model) {
  for (const auto& buffer : model.named_buffers()) {
    const auto& key = buffer.key();
    const bool index = key.find("relative_position_index") != std::string::npos;
    const bool table = key.find("relative_coords_table") != std::string::npos;
    if (!index && !table) {
      continue;
    }
    // layers.S.blocks.B.attn.NAME is features.(2 S + 1).B.attn.NAME there.
    const auto stage = std::stoi(key.substr(std::string("layers.").size()));
    const auto block = key.substr(key.find(".blocks.") + std::string(".blocks").size());
    const auto& value = buffer.value();
    const auto places = value.numel() / 2;
    const auto side = std::lround(std::sqrt(static_cast<double>(places)));
    tensors.insert(
        "features." + std::to_string(2 * stage + 1) + block,
        index ? value.flatten() : value.reshape({1, side, side, 2}));
  }
}

StateDict to_torchvision(const Classifier& model) {
  if (const auto* vit = dynamic_cast<const VisionTransformerImpl*>(&model)) {
    if (const auto* misfit = vit_misfit(vit->options)) {
      refuse("torchvision", misfit);
    }
    return detail::to_layout(state_dict(model), "torchvision ViT");
  }
  const auto* swin = dynamic_cast<const SwinTransformerImpl*>(&model);
  if (swin == nullptr) {
    refuse("torchvision", "it has ViT and Swin alone");
  }
  if (swin->options.window_size().size() != 1 ||
      swin->options.pretrained_window_sizes() != std::vector<int64_t>{0}) {
    refuse("torchvision", "its Swin has one window, and none of a pretraining");
  }
  const std::string layout =
      swin->options.version() == 2 ? "torchvision Swin V2" : "torchvision Swin";
  if (const auto misfit = detail::size_misfit(swin->options, layout); !misfit.empty()) {
    refuse("torchvision", misfit);
  }
  auto tensors = detail::to_layout(state_dict(model), layout);
  add_swin_tables(tensors, model);
  return tensors;
}

void check_timm(const Classifier& model) {
  const auto* vit = dynamic_cast<const VisionTransformerImpl*>(&model);
  if (vit != nullptr && vit->options.global_pool() == "token_avg") {
    refuse("timm", "its heads do not see the class token and the patches' mean both");
  }
}

void write_weights(const std::string& path, const StateDict& tensors) {
  write_safetensors(path, tensors, {{"format", "pt"}});
}

}  // namespace

std::string to_string(Library library) {
  for (const auto& [one, name] : libraries()) {
    if (one == library) {
      return name;
    }
  }
  return "";
}

Library parse_library(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [library, known] : libraries()) {
    if (known == name) {
      return library;
    }
    names.push_back(known);
  }
  throw UnknownNameError("library", name, names);
}

void export_model(
    const std::string& path, const Classifier& model, const ModelCard& card, Library library) {
  switch (library) {
    case Library::Timm:
      check_timm(model);
      save_model(path, model, card);  // whose names are timm's
      break;
    case Library::Torchvision:
      write_weights(path, to_torchvision(model));
      break;
    case Library::HuggingFace: {
      const auto files = detail::to_hugging_face(model, card);
      create_folders(path);
      write_weights(path + "/model.safetensors", files.tensors);
      const auto write_text = [&](const char* name, const std::string& text) {
        write_file_atomically(path + "/" + name, [&](File& file) { file.write(text); });
      };
      write_text("preprocessor_config.json", files.preprocessor_config);
      write_text("config.json", files.config);
      break;
    }
  }
}

}  // namespace vitrine
