#pragma once

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

namespace vitrine {

/// What golden/make_augment_golden.py recorded.
inline const nlohmann::json& augment_golden() {
  static const auto golden = [] {
    std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/augment.json");
    return nlohmann::json::parse(file);
  }();
  return golden;
}

}  // namespace vitrine
