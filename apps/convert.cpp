#include <filesystem>
#include <iostream>
#include <string>
#include <variant>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/weights/export_model.h"
#include "vitrine/weights/inspect.h"

#include "commands.h"
#include "common_options.h"
#include "inputs.h"
#include "open_model.h"

namespace vitrine {
namespace {

/// Refuses a place that is taken, or of another kind than the target writes.
void check_output(const Arguments& arguments, const std::string& out) {
  const std::filesystem::path path = out;
  const bool folder = arguments.text("to") == "huggingface";
  if (!folder && path.extension() != ".safetensors") {
    throw UsageError(
        "convert: OUT is '" + path_text(out) +
        "', expected a name that ends in .safetensors, which is what is written");
  }
  if (out.empty()) {
    throw UsageError("convert: OUT is empty, expected the name of a file or folder");
  }
  std::error_code ignored;
  bool taken = std::filesystem::exists(path, ignored);
  if (folder && std::filesystem::is_directory(path, ignored)) {
    const auto holds = [&](const char* name) {
      return std::filesystem::exists(path / name, ignored);
    };
    taken = holds("model.safetensors") || holds("config.json") || holds("preprocessor_config.json");
  }
  if (taken && !arguments.flag("force")) {
    throw Error(path_text(out) + ": is there already; --force replaces it");
  }
}

/// Notes where the weights came from, unless the card tells.
void add_source(ModelCard& card, const std::string& in, const std::string& checkpoint_key) {
  if (!card.provenance.empty()) {
    return;
  }
  const auto found = inspect_checkpoint(in, checkpoint_key);
  const auto path = std::filesystem::path(in);
  const auto name = path.has_filename() ? path.filename() : path.parent_path().filename();
  card.provenance["converted_from"] = path_text(name.string());
  if (!found.layout.empty()) {
    card.provenance["layout"] = found.layout;
  }
}

/// What timm has to be told to build the model; empty where its name is enough.
std::string timm_note(const ModelCard& card) {
  const auto& options = card.options.values();
  const auto tokens = options.find("reg_tokens");
  const auto* count = tokens == options.end() ? nullptr : std::get_if<int64_t>(&tokens->second);
  return card.architecture.rfind("deit", 0) != 0 || count == nullptr || *count == 0
             ? ""
             : "; timm.create_model needs reg_tokens=" + std::to_string(*count);
}

int run_convert(const Arguments& arguments) {
  const auto& in = arguments.operands()[0];
  const auto& out = arguments.operands()[1];
  check_output(arguments, out);
  auto loaded = open_model(arguments, in);
  add_source(loaded.card, in, arguments.text("checkpoint-key"));
  const auto to = arguments.text("to");
  if (to == "vitrine") {
    save_model(out, *loaded.model, loaded.card);
  } else {
    export_model(out, *loaded.model, loaded.card, parse_library(to));
  }
  std::cout << path_text(out) << ": " << loaded.card.architecture << ", "
            << loaded.model->num_classes() << " classes, for " << to
            << (to == "timm" ? timm_note(loaded.card) : "") << '\n';
  return 0;
}

}  // namespace

Command convert_command() {
  CommandSpec spec;
  spec.name = "convert";
  spec.summary = "turn a checkpoint into vitrine's file, or another library's";
  spec.operands = "IN OUT";
  spec.least_operands = 2;
  spec.most_operands = 2;
  spec.description =
      "IN is any checkpoint that vitrine opens. OUT becomes a safetensors file with a card, by "
      "timm's\n"
      "names; with --to another library's: timm and torchvision load the file's state dict "
      "strictly, "
      "and\n"
      "for huggingface OUT is a folder for transformers' from_pretrained.";
  spec.groups = {
      {"Conversion",
       {choice_option(
            "to",
            {"vitrine", "timm", "torchvision", "huggingface"},
            "whose names and files are written",
            "vitrine"),
        flag_option("force", "replace OUT where it is there already")}},
      checkpoint_group(),
      preprocessing_group()};
  spec.examples = {
      "vitrine convert deit_base.pth deit_base.safetensors --model deit_base_patch16_224",
      "vitrine convert runs/flowers/best.safetensors flowers --to huggingface",
      "vitrine convert snapshot/model.safetensors swin.safetensors --to torchvision"};
  return {spec, run_convert};
}

}  // namespace vitrine
