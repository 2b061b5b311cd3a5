#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <vector>

#include "vitrine/image/preprocess.h"
#include "vitrine/models/model_options.h"

namespace vitrine::detail {

// How options that are no plain types are written and read (`option_json.h`).

nlohmann::ordered_json to_value(const std::vector<Interpolation>& filters);
void from_value(const nlohmann::ordered_json& json, std::vector<Interpolation>& filters);

nlohmann::ordered_json to_value(const ModelOptions& options);
void from_value(const nlohmann::ordered_json& json, ModelOptions& options);

nlohmann::ordered_json to_value(const std::optional<PreprocessOptions>& options);
void from_value(const nlohmann::ordered_json& json, std::optional<PreprocessOptions>& options);

}  // namespace vitrine::detail
