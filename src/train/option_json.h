#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vitrine::detail {

// How options of plain types are written and read: as nlohmann does it.

template <typename T>
nlohmann::ordered_json to_value(const T& value) {
  return value;
}
template <typename T>
void from_value(const nlohmann::ordered_json& json, T& value) {
  value = json.get<T>();
}

// nlohmann would cut a fraction off, wrap a number that is too large, and take true for 1.
inline void from_value(const nlohmann::ordered_json& json, int64_t& value) {
  const bool fits =
      !json.is_number_unsigned() ||
      json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<int64_t>::max());
  if (!json.is_number_integer() || !fits) {
    throw std::invalid_argument("a whole number");
  }
  value = json.get<int64_t>();
}
inline void from_value(const nlohmann::ordered_json& json, std::uint64_t& value) {
  if (!json.is_number_unsigned()) {
    throw std::invalid_argument("a whole number of at least 0");
  }
  value = json.get<std::uint64_t>();
}
inline void from_value(const nlohmann::ordered_json& json, double& value) {
  if (!json.is_number()) {
    throw std::invalid_argument("a number");
  }
  value = json.get<double>();
}

/// Each by the rules above.
template <typename T>
void from_value(const nlohmann::ordered_json& json, std::vector<T>& values) {
  if (!json.is_array()) {
    throw std::invalid_argument("a list");
  }
  values.clear();
  for (const auto& item : json) {
    from_value(item, values.emplace_back());
  }
}

template <typename T>
void from_value(const nlohmann::ordered_json& json, std::pair<T, T>& values) {
  if (!json.is_array() || json.size() != 2) {
    throw std::invalid_argument("a list of 2");
  }
  from_value(json[0], values.first);
  from_value(json[1], values.second);
}
template <typename T, std::size_t N>
void from_value(const nlohmann::ordered_json& json, std::array<T, N>& values) {
  if (!json.is_array() || json.size() != N) {
    throw std::invalid_argument("a list of " + std::to_string(N));
  }
  for (std::size_t i = 0; i < N; ++i) {
    from_value(json[i], values[i]);
  }
}

/// An option that may be unset, which is null.
template <typename T>
nlohmann::ordered_json to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : nlohmann::ordered_json();
}
template <typename T>
void from_value(const nlohmann::ordered_json& json, std::optional<T>& value) {
  value.reset();
  if (!json.is_null()) {
    from_value(json, value.emplace());
  }
}

}  // namespace vitrine::detail
