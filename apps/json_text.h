#pragma once

#include <nlohmann/json.hpp>

#include <charconv>
#include <string>

namespace vitrine {

/// The shortest text that reads back as the same float32: models compute no more digits.
inline std::string float_text(double value) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof(text), static_cast<float>(value));
  return {text, result.ptr};
}

/// `value` on one line; bytes of its texts that are not UTF-8 become U+FFFD.
inline std::string to_line(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace vitrine
