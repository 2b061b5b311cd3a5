#pragma once

#include <cstdio>
#include <string>

namespace vitrine {

/// `value` with so many digits after the point.
inline std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

/// `value` with three digits, such as "0.00097" or "1e-05".
inline std::string short_number(double value) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

/// A share as "97.67 %".
inline std::string percent(double share) {
  return fixed(100 * share, 2) + " %";
}

}  // namespace vitrine
