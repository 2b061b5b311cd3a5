#include "json_fields.h"

#include <cstddef>
#include <limits>

#include "vitrine/error.h"

namespace vitrine::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = std::size_t{4} << 20;  // names of 20,000 classes take one MiB
constexpr std::size_t kMostParts = 100'000;
constexpr std::size_t kMostDepth = 64;

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

void check_json_size(const std::string& text, const std::string& subject) {
  const auto refuse = [&](const std::string& has, std::size_t most) {
    throw CheckpointError(subject + ": " + has + ", expected at most " + std::to_string(most));
  };
  if (text.size() > kMostBytes) {
    refuse("has " + std::to_string(text.size()) + " bytes", kMostBytes);
  }
  std::size_t parts = 0;
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++parts;
      ++depth;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
    if (depth > kMostDepth) {
      refuse("has " + std::to_string(depth) + " objects and lists within each other", kMostDepth);
    }
  }
  if (parts > kMostParts) {
    refuse("has " + std::to_string(parts) + " objects and lists", kMostParts);
  }
}

Json parse_json_object(const std::string& text, const std::string& subject) {
  check_json_size(text, subject);
  auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
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
