#include "option_fields.h"

#include <c10/util/Exception.h>

#include <utility>

#include "vitrine/error.h"

namespace vitrine::detail {

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
      held != nullptr, "option '", name, "' of a ", family_, " model: expected ", expected);
  return *held;
}

void OptionReader::operator()(const char* name, bool& field) {
  if (const auto* value = take(name)) {
    field = as<bool>(name, *value, "true or false");
  }
}

void OptionReader::operator()(const char* name, int64_t& field) {
  if (const auto* value = take(name)) {
    field = as<int64_t>(name, *value, "a whole number");
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

}  // namespace vitrine::detail
