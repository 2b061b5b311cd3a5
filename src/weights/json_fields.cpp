#include "json_fields.h"

#include <cstddef>
#include <limits>

#include "vitrine/error.h"

namespace vitrine::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = std::size_t{8} << 20;  // names of 20,000 classes take one MiB
constexpr int kMostDepth = 3;

/// What `value` is, with its article.
std::string kind(const Json& value) {
  return value.is_null()     ? "null"
         : value.is_object() ? "an object"
         : value.is_array()  ? "a list"
                             : std::string("a ") + value.type_name();
}

std::string describe(const Json& value) {
  return value.is_number() ? value.dump() : kind(value);
}

}  // namespace

Json parse_json_object(const std::string& text, const std::string& subject) {
  if (text.size() > kMostBytes) {
    throw CheckpointError(
        subject + ": has " + std::to_string(text.size()) + " bytes, expected at most " +
        std::to_string(kMostBytes));
  }
  const auto keep = [](int depth, Json::parse_event_t event, Json& /*value*/) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    return !opens || depth < kMostDepth;
  };
  auto json = Json::parse(text, keep, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    throw CheckpointError(
        subject + ": is " + (json.is_discarded() ? "no valid JSON" : kind(json)) +
        ", expected a JSON object");
  }
  return json;
}

void JsonFields::fail(const std::string& field, const std::string& message) const {
  throw CheckpointError(subject_ + ": " + prefix_ + field + " " + message);
}

const Json* JsonFields::find(const char* field) const {
  const auto found = object_.find(field);
  return found == object_.end() ? nullptr : &*found;
}

const Json& JsonFields::object(const char* field) const {
  static const Json empty = Json::object();
  const auto* value = find(field);
  if (value != nullptr && !value->is_object()) {
    fail(field, "is " + describe(*value) + ", expected an object");
  }
  return value == nullptr ? empty : *value;
}

const Json* JsonFields::array(const char* field) const {
  const auto* value = find(field);
  if (value != nullptr && !value->is_array()) {
    fail(field, "is " + describe(*value) + ", expected a list");
  }
  return value;
}

std::string JsonFields::text(const std::string& field, const Json& value) const {
  if (!value.is_string()) {
    fail(field, "is " + describe(value) + ", expected a string");
  }
  return value.get<std::string>();
}

std::int64_t JsonFields::integer(const std::string& field, const Json& value) const {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > kMax)) {
    fail(field, "is " + describe(value) + ", expected a whole number");
  }
  return value.get<std::int64_t>();
}

double JsonFields::number(const std::string& field, const Json& value) const {
  if (!value.is_number()) {
    fail(field, "is " + describe(value) + ", expected a number");
  }
  return value.get<double>();
}

void JsonFields::read(const char* field, std::string& result) const {
  if (const auto* value = find(field)) {
    result = text(field, *value);
  }
}

void JsonFields::read(const char* field, std::int64_t& result) const {
  if (const auto* value = find(field)) {
    result = integer(field, *value);
  }
}

void JsonFields::read(const char* field, double& result) const {
  if (const auto* value = find(field)) {
    result = number(field, *value);
  }
}

}  // namespace vitrine::detail
