#pragma once

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

namespace vitrine {

/// What golden/make_augment_golden.py recorded.
inline nlohmann::json augment_golden() {
  std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/augment.json");
  return nlohmann::json::parse(file);
}

}  // namespace vitrine
