#include "train/option_values.h"

#include <map>
#include <stdexcept>
#include <string>
#include <variant>

#include "train/option_json.h"

namespace vitrine::detail {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kPreprocessFields =
    "an object with height, width, crop_pct, crop_mode, interpolation, mean and std, and nothing "
    "else";

}  // namespace

OrderedJson to_value(const std::vector<Interpolation>& filters) {
  OrderedJson json = OrderedJson::array();
  for (const auto filter : filters) {
    json.push_back(to_string(filter));
  }
  return json;
}
void from_value(const OrderedJson& json, std::vector<Interpolation>& filters) {
  filters.clear();
  for (const auto& name : json.get<std::vector<std::string>>()) {
    filters.push_back(parse_interpolation(name));
  }
}

OrderedJson to_value(const ModelOptions& options) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, value] : options.values()) {
    std::visit([&, &key = name](const auto& v) { json[key] = v; }, value);
  }
  return json;
}
void from_value(const OrderedJson& json, ModelOptions& options) {
  options = {};
  for (const auto& [name, value] : json.get<std::map<std::string, OrderedJson>>()) {
    if (value.is_boolean()) {
      options.set(name, value.get<bool>());
    } else if (value.is_number_integer()) {
      options.set(name, value.get<int64_t>());
    } else if (value.is_number()) {
      options.set(name, value.get<double>());
    } else if (value.is_string()) {
      options.set(name, value.get<std::string>());
    } else {
      options.set(name, value.get<std::vector<int64_t>>());
    }
  }
}

OrderedJson to_value(const std::optional<PreprocessOptions>& options) {
  if (!options) {
    return nullptr;
  }
  return {
      {"height", options->height()},
      {"width", options->width()},
      {"crop_pct", options->crop_pct()},
      {"crop_mode", to_string(options->crop_mode())},
      {"interpolation", to_string(options->interpolation())},
      {"mean", options->mean()},
      {"std", options->std()}};
}
void from_value(const OrderedJson& json, std::optional<PreprocessOptions>& options) {
  if (json.is_null()) {
    options.reset();
    return;
  }
  if (!json.is_object() || json.size() != 7) {
    throw std::invalid_argument(kPreprocessFields);
  }
  auto& read = options.emplace();
  for (const auto& [name, value] : json.items()) {
    if (name == "height") {
      from_value(value, read.height());
    } else if (name == "width") {
      from_value(value, read.width());
    } else if (name == "crop_pct") {
      from_value(value, read.crop_pct());
    } else if (name == "crop_mode") {
      read.crop_mode(parse_crop_mode(value.get<std::string>()));
    } else if (name == "interpolation") {
      read.interpolation(parse_interpolation(value.get<std::string>()));
    } else if (name == "mean") {
      from_value(value, read.mean());
    } else if (name == "std") {
      from_value(value, read.std());
    } else {
      throw std::invalid_argument(kPreprocessFields);
    }
  }
}

}  // namespace vitrine::detail
