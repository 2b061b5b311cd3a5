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

/// A share as "97.67 %".
inline std::string percent(double share) {
  return fixed(100 * share, 2) + " %";
}

}  // namespace vitrine
