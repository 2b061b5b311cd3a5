#include "option_fields.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

/// The largest size or count that any option takes: what is beyond has come from a damaged or
/// hostile file, and would take memory before anything else refused it.
constexpr int64_t kMost = 1 << 20;

/// A value as a message shows it.
struct Describe {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    std::ostringstream text;
    text << value;
    return text.str();
  }
  std::string operator()(const std::string& value) const { return "'" + printable(value) + "'"; }
  std::string operator()(const std::vector<int64_t>& value) const {
    return "a list of " + std::to_string(value.size());
  }
};

}  // namespace

OptionReader::OptionReader(const ModelOptions& options, std::string family)
    : family_(std::move(family)), values_(options.values()) {}

const OptionValue* OptionReader::take(const char* name) {
  names_.emplace_back(name);
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

template <typename T>
const T& OptionReader::as(const char* name, const OptionValue& value, const char* expected) const {
  const auto* held = std::get_if<T>(&value);
  TORCH_CHECK_VALUE(
      held != nullptr,
      "option '",
      name,
      "' of a ",
      family_,
      " model: expected ",
      expected,
      ", got ",
      std::visit(Describe{}, value));
  return *held;
}

void OptionReader::check_size(const char* name, int64_t value) const {
  TORCH_CHECK_VALUE(
      value <= kMost,
      "option '",
      name,
      "' of a ",
      family_,
      " model: expected at most ",
      kMost,
      ", got ",
      value);
}

void OptionReader::operator()(const char* name, bool& field) {
  if (const auto* value = take(name)) {
    field = as<bool>(name, *value, "true or false");
  }
}

void OptionReader::operator()(const char* name, int64_t& field) {
  if (const auto* value = take(name)) {
    field = as<int64_t>(name, *value, "a whole number");
    check_size(name, field);
  }
}

void OptionReader::operator()(const char* name, double& field) {
  if (const auto* value = take(name)) {
    const auto* whole = std::get_if<int64_t>(value);
    field = whole ? static_cast<double>(*whole) : as<double>(name, *value, "a number");
  }
}

void OptionReader::operator()(const char* name, std::string& field) {
  if (const auto* value = take(name)) {
    field = as<std::string>(name, *value, "a word");
  }
}

void OptionReader::operator()(const char* name, std::optional<bool>& field) {
  if (const auto* value = take(name)) {
    field = as<bool>(name, *value, "true or false");
  }
}

void OptionReader::operator()(const char* name, std::vector<int64_t>& field) {
  if (const auto* value = take(name)) {
    const auto* one = std::get_if<int64_t>(value);
    field = one ? std::vector<int64_t>{*one}
                : as<std::vector<int64_t>>(name, *value, "a list of whole numbers");
    for (const auto size : field) {
      check_size(name, size);
    }
  }
}

void OptionReader::operator()(const char* name, std::array<int64_t, 2>& field) {
  std::vector<int64_t> list(field.begin(), field.end());
  (*this)(name, list);
  TORCH_CHECK_VALUE(
      list.size() == 1 || list.size() == 2,
      "option '",
      name,
      "' of a ",
      family_,
      " model: expected one or two whole numbers, got ",
      list.size());
  field = {list.front(), list.back()};
}

void OptionReader::finish() const {
  for (const auto& [name, value] : values_) {
    bool known = false;
    for (const auto& seen : names_) {
      known = known || seen == name;
    }
    if (!known) {
      throw UnknownNameError("option of a " + family_ + " model", name, names_);
    }
  }
}

std::vector<int64_t> find_sizes(const ModelOptions& options, const std::string& name) {
  const auto found = options.values().find(name);
  std::vector<int64_t> sizes;
  if (found == options.values().end()) {
    return sizes;
  }
  if (const auto* one = std::get_if<int64_t>(&found->second)) {
    sizes = {*one};
  } else if (const auto* list = std::get_if<std::vector<int64_t>>(&found->second)) {
    sizes = *list;
  }
  const bool sound = std::all_of(
      sizes.begin(), sizes.end(), [](int64_t size) { return size > 0 && size <= kMost; });
  return sound ? sizes : std::vector<int64_t>();
}

std::optional<std::array<int64_t, 2>> find_sides(
    const ModelOptions& options, const std::string& name) {
  const auto sizes = find_sizes(options, name);
  if (sizes.empty() || sizes.size() > 2) {
    return std::nullopt;
  }
  return std::array<int64_t, 2>{sizes.front(), sizes.back()};
}

}  // namespace vitrine::detail
