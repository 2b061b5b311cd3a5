#include "card_json.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/version.h"
#include "vitrine/weights/model_file.h"

#include "json_fields.h"
#include "preprocess_json.h"

namespace vitrine {
namespace {

using detail::JsonFields;
using Json = nlohmann::json;

nlohmann::ordered_json option_to_json(const std::string& name, const OptionValue& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    return detail::finite_number(*number, name.c_str());
  }
  return std::visit([](const auto& any) { return nlohmann::ordered_json(any); }, value);
}

int64_t channels_of(const ModelCard& card) {
  const auto& options = card.options.values();
  const auto found = options.find("in_chans");
  const auto* channels = found == options.end() ? nullptr : std::get_if<int64_t>(&found->second);
  return channels == nullptr ? 3 : *channels;
}

}  // namespace

namespace detail {

OptionValue read_option(const JsonFields& fields, const std::string& name, const Json& value) {
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

ModelCard parse_card(const std::string& text, const std::string& subject) {
  const auto json = parse_json_object(text, subject);
  const JsonFields fields(json, subject, "");
  ModelCard card;
  fields.read("architecture", card.architecture);
  fields.read("family", card.family);
  fields.read("paper", card.paper);
  fields.read("parameters", card.parameters);
  fields.read("gmacs", card.gmacs);
  const auto& options = fields.object("options");
  const JsonFields option_fields(options, subject, "options.");
  for (const auto& [name, value] : options.items()) {
    card.options.set(name, read_option(option_fields, printable(name), value));
  }
  if (const auto* classes = fields.find("num_classes")) {
    card.options.num_classes(fields.integer("num_classes", *classes));
  }
  card.preprocess =
      read_preprocess(JsonFields(fields.object("preprocessing"), subject, "preprocessing."));
  if (const auto* labels = fields.array("labels")) {
    card.labels.reserve(labels->size());
    for (const auto& label : *labels) {
      card.labels.push_back(
          fields.text("labels[" + std::to_string(card.labels.size()) + "]", label));
    }
  }
  const auto& provenance = fields.object("provenance");
  const JsonFields provenance_fields(provenance, subject, "provenance.");
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
  json["gmacs"] = detail::finite_number(card.gmacs, "gmacs");
  json["options"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : card.options.values()) {
    (name == "num_classes" ? json : json["options"])[name] = option_to_json(name, value);
  }
  json["preprocessing"] = detail::preprocess_to_json(card.preprocess, channels_of(card));
  json["labels"] = card.labels;
  json["provenance"] = card.provenance;
  // Labels come from folder names, which may be any bytes; a model is not lost over one of them.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

ModelCard card_from_json(const std::string& text) {
  return detail::parse_card(text, "the card");
}

}  // namespace vitrine
