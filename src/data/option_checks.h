#pragma once

#include <c10/util/Exception.h>

#include "vitrine/data/random_crop.h"

namespace vitrine::detail {

/// Throws c10::ValueError unless `low` <= first <= second <= `high`.
inline void check_bounds(const char* name, const Bounds& bounds, double low, double high) {
  TORCH_CHECK_VALUE(
      bounds.first >= low && bounds.first <= bounds.second && bounds.second <= high,
      name,
      " has to be two numbers between ",
      low,
      " and ",
      high,
      ", the smaller first, but got ",
      bounds.first,
      " and ",
      bounds.second);
}

/// Throws c10::ValueError unless `value` is from 0 to 1.
inline void check_probability(const char* name, double value) {
  TORCH_CHECK_VALUE(value >= 0 && value <= 1, name, " has to be between 0 and 1, but got ", value);
}

}  // namespace vitrine::detail
