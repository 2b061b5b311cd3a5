#include "source_config.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "card_json.h"
#include "json_fields.h"
#include "preprocess_json.h"

namespace vitrine::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = 8 << 20;
constexpr std::int64_t kMostSide = 1 << 16;

/// A JSON file, and how messages call it.
struct JsonFile {
  std::string subject;
  Json json;
};

/// The file `name` beside the checkpoint at `path`.
std::optional<JsonFile> read_beside(const std::string& path, const char* name) {
  const auto beside = std::filesystem::path(path).parent_path() / name;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(beside, ignored)) {
    return std::nullopt;
  }
  const auto bytes = read_file(beside.string(), kMostBytes);
  JsonFile result{printable(beside.string()), {}};
  result.json = parse_json_object(std::string(bytes.begin(), bytes.end()), result.subject);
  return result;
}

/// Class names of "id2label", {"0": "cat", ...}; none where they are not one for each number, or
/// say no more than the number.
std::vector<std::string> read_labels(const JsonFields& fields) {
  const auto& names = fields.object("id2label");
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto index = std::to_string(i);
    const auto found = names.find(index);
    if (found == names.end() || !found->is_string() || *found == "LABEL_" + index) {
      return {};
    }
    labels.push_back(found->get<std::string>());
  }
  return labels;
}

/// A side, or two, of `field`.
std::vector<std::int64_t> read_sides(const JsonFields& fields, const char* field) {
  const auto* value = fields.find(field);
  std::vector<std::int64_t> sides;
  if (value != nullptr && value->is_array() && value->size() == 2) {
    sides = {fields.integer(field, (*value)[0]), fields.integer(field, (*value)[1])};
  } else if (value != nullptr && !value->is_null()) {
    sides.assign(2, fields.integer(field, *value));
  }
  return sides;
}

SourceConfig read_timm(const JsonFile& file) {
  const JsonFields fields(file.json, file.subject, "");
  SourceConfig config;
  fields.read("architecture", config.architecture);
  const auto& weights = fields.object("pretrained_cfg");
  config.preprocess = read_preprocess(JsonFields(weights, file.subject, "pretrained_cfg."));
  const auto& arguments = fields.object("model_args");
  const JsonFields argument_fields(arguments, file.subject, "model_args.");
  for (const auto& [name, value] : arguments.items()) {
    config.options.set(name, read_option(argument_fields, printable(name), value));
  }
  if (const auto* labels = fields.array("label_names")) {
    for (const auto& label : *labels) {
      config.labels.push_back(fields.text("label_names", label));
    }
  }
  return config;
}

void copy_whole(
    const JsonFields& fields, const char* field, const char* name, ModelOptions& options) {
  if (const auto* value = fields.find(field); value != nullptr && value->is_number_integer()) {
    options.set(name, fields.integer(field, *value));
  }
}

void copy_list(
    const JsonFields& fields, const char* field, const char* name, ModelOptions& options) {
  if (const auto* value = fields.find(field); value != nullptr && value->is_array()) {
    options.set(name, read_option(fields, field, *value));
  }
}

/// What transformers writes as config.json. Sizes that tensors tell are left to them.
SourceConfig read_hugging_face(const JsonFile& file) {
  const JsonFields fields(file.json, file.subject, "");
  std::string kind;
  fields.read("model_type", kind);
  SourceConfig config;
  auto& options = config.options;
  config.model_type = kind;
  config.labels = read_labels(fields);
  if (kind == "mobilevit" || kind == "mobilevitv2") {
    return config;  // takes any size, and has one shape for each set of tensors
  }
  const auto sides = read_sides(fields, "image_size");
  if (!sides.empty()) {
    options.img_size(sides[0], sides[1]);
  }
  if (const auto* eps = fields.find("layer_norm_eps")) {
    options.set("norm_eps", fields.number("layer_norm_eps", *eps));
  }
  if (kind == "swin" || kind == "swinv2") {
    copy_whole(fields, "window_size", "window_size", options);
    copy_list(fields, "pretrained_window_sizes", "pretrained_window_sizes", options);
    copy_list(fields, "num_heads", "num_heads", options);
  } else {
    copy_whole(fields, "num_attention_heads", "num_heads", options);
  }
  return config;
}

/// What transformers writes as preprocessor_config.json.
PreprocessOptions read_image_processor(const JsonFile& file) {
  const JsonFields fields(file.json, file.subject, "");
  const auto flag = [&](const char* name, bool otherwise) {
    const auto* value = fields.find(name);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
  };
  PreprocessOptions preprocess;
  const auto side_of = [&](const char* field, const char* side) -> std::int64_t {
    const auto* value = fields.find(field);
    if (value != nullptr && value->is_object()) {
      value = value->contains(side) ? &(*value)[side] : nullptr;
    }
    const auto length =
        value == nullptr || value->is_null() ? std::int64_t{0} : fields.integer(field, *value);
    if (length < 0 || length > kMostSide) {
      fields.fail(field, "is " + std::to_string(length) + ", expected a side of an image");
    }
    return length;
  };
  const auto* size = fields.find("size");
  const bool by_shorter = size != nullptr && size->is_object() && size->contains("shortest_edge");
  const auto resized = side_of("size", by_shorter ? "shortest_edge" : "height");
  const auto columns = by_shorter ? resized : side_of("size", "width");
  const bool crops = flag("do_center_crop", fields.find("crop_size") != nullptr);
  const auto rows = crops ? side_of("crop_size", "height") : resized;
  if (rows > 0) {
    preprocess.height(rows).width(crops ? side_of("crop_size", "width") : columns);
  }
  preprocess.crop_mode(by_shorter ? CropMode::Center : CropMode::Squash);
  // The crop's share, a little larger: rounded down, it gives back the very side.
  preprocess.crop_pct(
      rows > 0 && rows < resized ? static_cast<double>(rows) / (static_cast<double>(resized) + 0.01)
                                 : 1);
  constexpr std::int64_t kNearest = 0;  // Pillow's numbers
  constexpr std::int64_t kBilinear = 2;
  std::int64_t filter = kBilinear;
  fields.read("resample", filter);
  preprocess.interpolation(
      filter == kNearest    ? Interpolation::Nearest
      : filter == kBilinear ? Interpolation::Bilinear
                            : Interpolation::Bicubic);
  // MobileViT's processor has a mean, and does not use it.
  std::string type;
  fields.read("image_processor_type", type);
  const bool normalises = flag("do_normalize", type.find("MobileViT") == std::string::npos);
  if (normalises && fields.find("image_mean") != nullptr) {
    preprocess.mean(read_triple(fields, "image_mean", preprocess.mean()));
    preprocess.std(read_triple(fields, "image_std", preprocess.std()));
  } else {
    preprocess.mean({0, 0, 0}).std({1, 1, 1});
  }
  return preprocess;
}

}  // namespace

std::optional<SourceConfig> read_source_config(const std::string& path) {
  const auto file = read_beside(path, "config.json");
  if (!file) {
    return std::nullopt;
  }
  if (file->json.contains("pretrained_cfg")) {
    return read_timm(*file);
  }
  if (!file->json.contains("model_type")) {
    return std::nullopt;
  }
  auto config = read_hugging_face(*file);
  if (const auto processor = read_beside(path, "preprocessor_config.json")) {
    config.preprocess = read_image_processor(*processor);
  }
  return config;
}

}  // namespace vitrine::detail
