#pragma once

#include <cstdio>
#include <string>

namespace vitrine {

/// What printf makes of a pattern and a few numbers, in less than 64 characters.
template <typename... Values>
std::string formatted(const char* pattern, Values... values) {
  char text[64];
  std::snprintf(text, sizeof(text), pattern, values...);
  return text;
}

/// `value` with so many digits after the point.
inline std::string fixed(double value, int digits) {
  return formatted("%.*f", digits, value);
}

/// `value` with three digits, such as "0.00097" or "1e-05".
inline std::string short_number(double value) {
  return formatted("%.3g", value);
}

/// A share as "97.67 %".
inline std::string percent(double share) {
  return fixed(100 * share, 2) + " %";
}

}  // namespace vitrine
