#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

#include "vitrine/train/report.h"
#include "vitrine/weights/model_file.h"

namespace vitrine {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string text_of(const OrderedJson& value) {
  if (value.is_null() || value.empty()) {
    return "–";
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return text.empty() ? "–" : text;
  }
  if (value.is_array()) {
    std::string text;
    for (const auto& item : value) {
      text += (text.empty() ? "" : ", ") + text_of(item);
    }
    return text;
  }
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

void add_facts(
    const OrderedJson& object,
    const std::string& prefix,
    std::vector<std::pair<std::string, std::string>>& facts) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      add_facts(value, prefix + name + ".", facts);
    } else {
      facts.emplace_back(prefix + name, text_of(value));
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> facts_from_json(const std::string& json) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto object = OrderedJson::parse(json, nullptr, /*allow_exceptions=*/false);
  if (object.is_object()) {
    add_facts(object, "", facts);
  }
  return facts;
}

ReportFacts model_facts(const ModelCard& card) {
  auto json = OrderedJson::parse(card_to_json(card));
  json.erase("labels");
  return {"Model", facts_from_json(json.dump())};
}

}  // namespace vitrine
