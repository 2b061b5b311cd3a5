#pragma once

#include <torch/types.h>

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

namespace vitrine {

/// What golden/make_train_golden.py recorded.
inline const nlohmann::json& train_golden() {
  static const auto golden = [] {
    std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/train.json");
    return nlohmann::json::parse(file);
  }();
  return golden;
}

/// What golden/make_recipe_golden.py recorded.
inline const nlohmann::json& recipe_golden() {
  static const auto golden = [] {
    std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/recipe.json");
    return nlohmann::json::parse(file);
  }();
  return golden;
}

/// A list of numbers, or a list of such lists, and so on, as float32.
inline torch::Tensor to_tensor(const nlohmann::json& json) {
  std::vector<torch::Tensor> rows;
  if (!json.front().is_array()) {
    return torch::tensor(json.get<std::vector<double>>(), torch::kFloat64).to(torch::kFloat32);
  }
  for (const auto& row : json) {
    rows.push_back(to_tensor(row));
  }
  return torch::stack(rows);
}

}  // namespace vitrine
