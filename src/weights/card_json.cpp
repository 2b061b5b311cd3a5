#include "card_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/version.h"
#include "vitrine/weights/model_file.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxCard = std::size_t{8} << 20;  // names of 20,000 classes take one MiB
constexpr int kMaxDepth = 3;                            // of the fields below
constexpr int64_t kMaxSide = 1 << 16;                   // rows or columns of an input, in pixels

/// What `value` is, with its article.
std::string kind(const Json& value) {
  return value.is_null()     ? "null"
         : value.is_object() ? "an object"
         : value.is_array()  ? "a list"
                             : std::string("a ") + value.type_name();
}

/// One object of the card's JSON. Fields that it does not have are left alone, fields of another
/// type than expected are a CheckpointError.
class Fields {
 public:
  Fields(const Json& object, std::string subject, std::string prefix)
      : object_(object), subject_(std::move(subject)), prefix_(std::move(prefix)) {}

  [[noreturn]] void fail(const std::string& field, const std::string& message) const {
    throw CheckpointError(subject_ + ": " + prefix_ + field + " " + message);
  }

  const Json* find(const char* field) const {
    const auto found = object_.find(field);
    return found == object_.end() ? nullptr : &*found;
  }

  /// The object `field`, or an empty one.
  const Json& object(const char* field) const {
    static const Json empty = Json::object();
    const auto* value = find(field);
    if (value != nullptr && !value->is_object()) {
      fail(field, "is " + describe(*value) + ", expected an object");
    }
    return value == nullptr ? empty : *value;
  }

  const Json* array(const char* field) const {
    const auto* value = find(field);
    if (value != nullptr && !value->is_array()) {
      fail(field, "is " + describe(*value) + ", expected a list");
    }
    return value;
  }

  std::string text(const std::string& field, const Json& value) const {
    if (!value.is_string()) {
      fail(field, "is " + describe(value) + ", expected a string");
    }
    return value.get<std::string>();
  }

  int64_t integer(const std::string& field, const Json& value) const {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<int64_t>::max());
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > kMax)) {
      fail(field, "is " + describe(value) + ", expected a whole number");
    }
    return value.get<int64_t>();
  }

  double number(const std::string& field, const Json& value) const {
    if (!value.is_number()) {
      fail(field, "is " + describe(value) + ", expected a number");
    }
    return value.get<double>();
  }

  void read(const char* field, std::string& result) const {
    if (const auto* value = find(field)) {
      result = text(field, *value);
    }
  }
  void read(const char* field, int64_t& result) const {
    if (const auto* value = find(field)) {
      result = integer(field, *value);
    }
  }
  void read(const char* field, double& result) const {
    if (const auto* value = find(field)) {
      result = number(field, *value);
    }
  }

 private:
  static std::string describe(const Json& value) {
    return value.is_number() ? value.dump() : kind(value);
  }

  const Json& object_;
  std::string subject_;
  std::string prefix_;
};

OptionValue read_option(const Fields& fields, const std::string& name, const Json& value) {
  if (value.is_boolean()) {
    return value.get<bool>();
  }
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number_float()) {
    return value.get<double>();
  }
  if (!value.is_array()) {
    return fields.integer(name, value);
  }
  std::vector<int64_t> list;
  list.reserve(value.size());
  for (const auto& item : value) {
    list.push_back(fields.integer(name + "[" + std::to_string(list.size()) + "]", item));
  }
  return list;
}

std::array<double, 3> read_triple(
    const Fields& fields, const char* field, const std::array<double, 3>& otherwise) {
  const auto* list = fields.array(field);
  if (list == nullptr) {
    return otherwise;
  }
  if (list->size() != otherwise.size()) {
    fields.fail(field, "has " + std::to_string(list->size()) + " values, expected 3");
  }
  std::array<double, 3> result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = fields.number(std::string(field) + "[" + std::to_string(i) + "]", (*list)[i]);
  }
  return result;
}

/// Sets `result` to what `parse` makes of the string `field`, where it is there.
template <typename Value, typename Parse>
void read_word(const Fields& fields, const char* field, Value& result, const Parse& parse) {
  const auto* value = fields.find(field);
  if (value == nullptr) {
    return;
  }
  const auto word = fields.text(field, *value);
  try {
    result = parse(word);
  } catch (const UnknownNameError& error) {
    fields.fail(field, "is '" + printable(word, 40) + "': " + error.what());
  }
}

PreprocessOptions read_preprocess(const Fields& fields) {
  PreprocessOptions options;
  if (const auto* size = fields.array("input_size")) {
    if (size->size() != 3) {
      fields.fail("input_size", "has " + std::to_string(size->size()) + " values, expected 3");
    }
    options.height(fields.integer("input_size[1]", (*size)[1]));
    options.width(fields.integer("input_size[2]", (*size)[2]));
    if (std::min(options.height(), options.width()) < 1 ||
        std::max(options.height(), options.width()) > kMaxSide) {
      fields.fail(
          "input_size",
          "is " + size->dump() + ", expected sides from 1 to " + std::to_string(kMaxSide));
    }
  }
  options.mean(read_triple(fields, "mean", options.mean()));
  options.std(read_triple(fields, "std", options.std()));
  for (const auto value : options.std()) {
    if (!(value > 0)) {
      fields.fail("std", "is not positive");
    }
  }
  fields.read("crop_pct", options.crop_pct());
  if (!(options.crop_pct() > 0 && options.crop_pct() <= 1)) {
    fields.fail(
        "crop_pct", "is " + Json(options.crop_pct()).dump() + ", expected more than 0, up to 1");
  }
  read_word(fields, "crop_mode", options.crop_mode(), parse_crop_mode);
  read_word(fields, "interpolation", options.interpolation(), parse_interpolation);
  return options;
}

/// Parses JSON, leaving out what is nested deeper than any field of a card, so that no memory goes
/// there.
Json parse_json(const std::string& text, const std::string& subject) {
  if (text.size() > kMaxCard) {
    throw CheckpointError(
        subject + ": has " + std::to_string(text.size()) + " bytes, expected at most " +
        std::to_string(kMaxCard));
  }
  const auto keep = [](int depth, Json::parse_event_t event, Json& /*value*/) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    return !opens || depth < kMaxDepth;
  };
  auto json = Json::parse(text, keep, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    throw CheckpointError(
        subject + ": is " + (json.is_discarded() ? "no valid JSON" : kind(json)) +
        ", expected a JSON object");
  }
  return json;
}

double finite(double value, const std::string& name) {
  TORCH_CHECK_VALUE(
      std::isfinite(value), "the card's ", name, " is ", value, ", expected a finite number");
  return value;
}

nlohmann::ordered_json option_to_json(const std::string& name, const OptionValue& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    return finite(*number, name);
  }
  return std::visit([](const auto& any) { return nlohmann::ordered_json(any); }, value);
}

nlohmann::ordered_json preprocess_to_json(const ModelCard& card) {
  const auto& preprocess = card.preprocess;
  for (const auto value : preprocess.mean()) {
    finite(value, "mean");
  }
  for (const auto value : preprocess.std()) {
    finite(value, "std");
  }
  const auto& options = card.options.values();
  const auto found = options.find("in_chans");
  const auto* channels = found == options.end() ? nullptr : std::get_if<int64_t>(&found->second);
  return {
      {"input_size",
       {channels == nullptr ? 3 : *channels, preprocess.height(), preprocess.width()}},
      {"mean", preprocess.mean()},
      {"std", preprocess.std()},
      {"crop_pct", finite(preprocess.crop_pct(), "crop_pct")},
      {"crop_mode", to_string(preprocess.crop_mode())},
      {"interpolation", to_string(preprocess.interpolation())}};
}

}  // namespace

namespace detail {

ModelCard parse_card(const std::string& text, const std::string& subject) {
  const auto json = parse_json(text, subject);
  const Fields fields(json, subject, "");
  ModelCard card;
  fields.read("architecture", card.architecture);
  fields.read("family", card.family);
  fields.read("paper", card.paper);
  fields.read("parameters", card.parameters);
  fields.read("gmacs", card.gmacs);
  const auto& options = fields.object("options");
  const Fields option_fields(options, subject, "options.");
  for (const auto& [name, value] : options.items()) {
    card.options.set(name, read_option(option_fields, printable(name), value));
  }
  if (const auto* classes = fields.find("num_classes")) {
    card.options.num_classes(fields.integer("num_classes", *classes));
  }
  card.preprocess =
      read_preprocess(Fields(fields.object("preprocessing"), subject, "preprocessing."));
  if (const auto* labels = fields.array("labels")) {
    card.labels.reserve(labels->size());
    for (const auto& label : *labels) {
      card.labels.push_back(
          fields.text("labels[" + std::to_string(card.labels.size()) + "]", label));
    }
  }
  const auto& provenance = fields.object("provenance");
  const Fields provenance_fields(provenance, subject, "provenance.");
  for (const auto& [name, value] : provenance.items()) {
    card.provenance[name] = provenance_fields.text(printable(name), value);
  }
  return card;
}

}  // namespace detail

std::string card_to_json(const ModelCard& card) {
  nlohmann::ordered_json json;
  json["vitrine"] = version();
  json["architecture"] = card.architecture;
  json["family"] = card.family;
  json["paper"] = card.paper;
  json["parameters"] = card.parameters;
  json["gmacs"] = finite(card.gmacs, "gmacs");
  json["options"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : card.options.values()) {
    (name == "num_classes" ? json : json["options"])[name] = option_to_json(name, value);
  }
  json["preprocessing"] = preprocess_to_json(card);
  json["labels"] = card.labels;
  json["provenance"] = card.provenance;
  // Labels come from folder names, which may be any bytes; a model is not lost over one of them.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

ModelCard card_from_json(const std::string& text) {
  return detail::parse_card(text, "the card");
}

}  // namespace vitrine
