#pragma once

#include <c10/util/Exception.h>

#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"

namespace vitrine::detail {

/// The values of an enumeration, each with its name.
template <typename Value>
using NameTable = std::vector<std::pair<Value, const char*>>;

template <typename Value>
std::string name_of(const NameTable<Value>& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) {
      return name;
    }
  }
  TORCH_CHECK_VALUE(false, "expected one of the named values, got ", static_cast<int>(value));
}

/// Throws UnknownNameError, in which `kind` says what the name is one of.
template <typename Value>
Value value_of(const NameTable<Value>& table, const std::string& kind, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [value, known] : table) {
    if (known == name) {
      return value;
    }
    names.emplace_back(known);
  }
  throw UnknownNameError(kind, name, names);
}

}  // namespace vitrine::detail
