#include "source_config.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
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

constexpr std::size_t kMostConfigBytes = 8 << 20;
constexpr std::int64_t kMostSide = 1 << 14;

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
  const auto bytes = read_file(beside.string(), kMostConfigBytes);
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
  const auto& arguments = fields.object("model_args");
  const JsonFields argument_fields(arguments, file.subject, "model_args.");
  for (const auto& [name, value] : arguments.items()) {
    config.options.set(name, read_option(argument_fields, printable(name), value));
  }
  const auto sides = read_sides(argument_fields, "img_size");
  if (const auto* labels = fields.array("label_names")) {
    for (const auto& label : *labels) {
      config.labels.push_back(fields.text("label_names", label));
    }
  }
  // Older files have the fields of pretrained_cfg beside the architecture.
  const bool flat = fields.find("pretrained_cfg") == nullptr;
  const auto weights = flat ? file.json : fields.object("pretrained_cfg");
  config.names_size = weights.contains("input_size") || !sides.empty();
  config.preprocess = [=, subject = file.subject](const PreprocessOptions& own) {
    auto preprocess =
        read_preprocess(JsonFields(weights, subject, flat ? "" : "pretrained_cfg."), own);
    if (!sides.empty()) {
      preprocess.height(sides[0]).width(sides[1]);  // the model's, whatever its weights were for
    }
    return preprocess;
  };
  return config;
}

void copy_whole(
    const JsonFields& fields, const char* field, const char* name, ModelOptions& options) {
  if (const auto* value = fields.find(field); value != nullptr && !value->is_null()) {
    options.set(name, fields.integer(field, *value));
  }
}

void copy_list(
    const JsonFields& fields, const char* field, const char* name, ModelOptions& options) {
  if (const auto* value = fields.array(field)) {
    options.set(name, read_option(fields, field, *value));
  }
}

/// vitrine's family of what transformers calls `model_type`; empty where it has none.
std::string family_of(const std::string& model_type) {
  static const std::map<std::string, std::string> families = {
      {"vit", "vit"},
      {"deit", "vit"},
      {"dinov2", "vit"},
      {"dinov2_with_registers", "vit"},
      {"swin", "swin"},
      {"swinv2", "swin"},
      {"mobilevit", "mobilevit"},
      {"mobilevitv2", "mobilevit"}};
  const auto found = families.find(model_type);
  return found == families.end() ? "" : found->second;
}

/// Refuses a model that computes with another function than vitrine's, by any of its `names`.
void expect_activation(const JsonFields& fields, std::initializer_list<const char*> names) {
  std::string found = *names.begin();
  fields.read("hidden_act", found);
  if (std::find(names.begin(), names.end(), found) == names.end()) {
    fields.fail("hidden_act", "is '" + printable(found) + "', expected '" + *names.begin() + "'");
  }
}

/// Refuses what no tensor tells and vitrine has one value for.
void expect_number(const JsonFields& fields, const char* field, const Json& expected) {
  const auto* value = fields.find(field);
  if (value != nullptr && std::abs(fields.number(field, *value) - expected.get<double>()) > 1e-9) {
    fields.fail(field, "is " + value->dump() + ", expected " + expected.dump());
  }
}

/// One of vitrine's pretrained windows for each stage: transformers writes four, however many
/// stages there are.
void copy_pretrained_windows(const JsonFields& fields, ModelOptions& options) {
  const auto* windows = fields.array("pretrained_window_sizes");
  const auto* depths = fields.array("depths");
  if (windows != nullptr) {
    auto of_stages = *windows;
    while (depths != nullptr && of_stages.size() > depths->size()) {
      of_stages.erase(of_stages.size() - 1);
    }
    options.set(
        "pretrained_window_sizes", read_option(fields, "pretrained_window_sizes", of_stages));
  }
}

/// MobileViT takes images of any size; its tensors tell all but these.
void read_mobilevit(const JsonFields& fields, bool second, ModelOptions& options) {
  expect_activation(fields, {"silu", "swish"});
  expect_number(fields, "output_stride", 32);
  expect_number(fields, "layer_norm_eps", 1e-5);
  copy_whole(fields, "patch_size", "patch_size", options);
  if (!second) {
    copy_whole(fields, "num_attention_heads", "num_heads", options);
  }
}

/// What transformers writes as config.json. Sizes that tensors tell are left to them.
SourceConfig read_hugging_face(const JsonFile& file) {
  const JsonFields fields(file.json, file.subject, "");
  SourceConfig config;
  fields.read("model_type", config.model_type);
  config.family = family_of(config.model_type);
  const auto& kind = config.model_type;
  auto& options = config.options;
  config.labels = read_labels(fields);
  if (config.family == "mobilevit") {
    read_mobilevit(fields, kind == "mobilevitv2", options);
    return config;
  }
  expect_activation(fields, {"gelu"});
  const auto sides = read_sides(fields, "image_size");
  // A DINOv2 is mostly given smaller images than those of its positions, whose square they tell.
  const bool of_positions = kind.rfind("dinov2", 0) == 0 && sides.size() == 2;
  if (!sides.empty() && !(of_positions && sides[0] == sides[1])) {
    options.img_size(sides[0], sides[1]);
  }
  if (const auto* eps = fields.find("layer_norm_eps")) {
    options.set("norm_eps", fields.number("layer_norm_eps", *eps));
  }
  if (kind == "swin" || kind == "swinv2") {
    copy_whole(fields, "window_size", "window_size", options);
    copy_pretrained_windows(fields, options);
    copy_list(fields, "num_heads", "num_heads", options);
  } else {
    copy_whole(fields, "num_attention_heads", "num_heads", options);
  }
  return config;
}

bool read_flag(const JsonFields& fields, const char* name, bool otherwise) {
  const auto* value = fields.find(name);
  if (value == nullptr || value->is_null()) {
    return otherwise;
  }
  if (!value->is_boolean()) {
    fields.fail(name, "is no boolean");
  }
  return value->get<bool>();
}

/// Rows, or columns, of `field`, in pixels: a number, or an object with `side`. 0 where it is not
/// there.
std::int64_t read_side(const JsonFields& fields, const char* field, const char* side) {
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
}

/// Size and crop of an image processor of the class `type`.
void read_sizes(const JsonFields& fields, const std::string& type, PreprocessOptions& preprocess) {
  const auto* size = fields.find("size");
  if (size == nullptr || size->is_null()) {
    return;
  }
  // A number alone is the shorter side to some classes, and both sides to others.
  const bool by_shorter = size->is_object()
                              ? size->contains("shortest_edge")
                              : type.rfind("MobileViT", 0) == 0 || type.rfind("Bit", 0) == 0;
  const auto resized = read_side(fields, "size", by_shorter ? "shortest_edge" : "height");
  const auto columns = by_shorter ? resized : read_side(fields, "size", "width");
  const bool crops = read_flag(fields, "do_center_crop", fields.find("crop_size") != nullptr);
  const auto rows = crops ? read_side(fields, "crop_size", "height") : resized;
  const auto width = crops ? read_side(fields, "crop_size", "width") : columns;
  if (resized < 1 || columns < 1 || rows < 1 || width < 1) {
    fields.fail(
        crops && resized > 0 ? "crop_size" : "size",
        "has neither height and width nor shortest_edge, in pixels");
  }
  const auto shorter = std::min(rows, width);
  if (shorter > resized) {
    fields.fail("crop_size", "is larger than size, which would pad the image");
  }
  preprocess.height(rows).width(width);
  preprocess.crop_mode(by_shorter ? CropMode::Center : CropMode::Squash);
  // The crop's share, a little larger: rounded down, it gives back the very side.
  preprocess.crop_pct(
      shorter < resized ? static_cast<double>(shorter) / (static_cast<double>(resized) + 0.01) : 1);
}

/// What transformers writes as preprocessor_config.json, of a class called `type`, put into `own`.
PreprocessOptions read_image_processor(
    const JsonFile& file, const std::string& type, PreprocessOptions own) {
  const JsonFields fields(file.json, file.subject, "");
  for (const auto* name : {"do_resize", "do_rescale"}) {
    if (!read_flag(fields, name, true)) {
      fields.fail(name, "is false, expected true");
    }
  }
  double factor = 1.0 / 255;
  fields.read("rescale_factor", factor);
  if (std::abs(factor * 255 - 1) > 1e-6) {
    fields.fail("rescale_factor", "is " + Json(factor).dump() + ", expected 1/255");
  }
  read_sizes(fields, type, own);
  constexpr std::int64_t kNearest = 0;  // Pillow's numbers
  constexpr std::int64_t kBilinear = 2;
  constexpr std::int64_t kBicubic = 3;
  if (fields.find("resample") != nullptr) {
    std::int64_t filter = kBilinear;
    fields.read("resample", filter);
    if (filter != kNearest && filter != kBilinear && filter != kBicubic) {
      fields.fail(
          "resample",
          "is " + std::to_string(filter) + ", expected 0, 2 or 3: nearest, bilinear, bicubic");
    }
    own.interpolation(
        filter == kNearest    ? Interpolation::Nearest
        : filter == kBilinear ? Interpolation::Bilinear
                              : Interpolation::Bicubic);
  }
  // MobileViT's processor has a mean, and does not use it.
  if (!read_flag(fields, "do_normalize", type.rfind("MobileViT", 0) != 0)) {
    return own.mean({0, 0, 0}).std({1, 1, 1});
  }
  own.mean(read_mean(fields, "image_mean", own.mean()));
  return own.std(read_deviation(fields, "image_std", own.std()));
}

/// Adds what a preprocessor_config.json says.
void add_image_processor(const JsonFile& file, SourceConfig& config) {
  const JsonFields fields(file.json, file.subject, "");
  std::string type;
  fields.read("feature_extractor_type", type);  // as it was called before
  fields.read("image_processor_type", type);
  const auto* flips = fields.find("do_flip_channel_order");
  if (flips != nullptr && !flips->is_null()) {
    config.flips_channels = read_flag(fields, "do_flip_channel_order", true);
  }
  const auto* size = fields.find("size");
  config.names_size = size != nullptr && !size->is_null();
  config.preprocess = [=](const PreprocessOptions& own) {
    return read_image_processor(file, type, own);
  };
}

}  // namespace

std::optional<SourceConfig> read_source_config(const std::string& path) {
  const auto file = read_beside(path, "config.json");
  if (!file) {
    return std::nullopt;
  }
  if (file->json.contains("pretrained_cfg") || file->json.contains("architecture")) {
    return read_timm(*file);
  }
  if (!file->json.contains("model_type")) {
    return std::nullopt;
  }
  auto config = read_hugging_face(*file);
  if (config.family.empty()) {
    return std::nullopt;
  }
  if (const auto processor = read_beside(path, "preprocessor_config.json")) {
    add_image_processor(*processor, config);
  }
  return config;
}

}  // namespace vitrine::detail
