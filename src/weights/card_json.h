#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "vitrine/models/model_card.h"

#include "json_fields.h"

namespace vitrine::detail {

/// `card_from_json`, with errors that begin with `subject`.
ModelCard parse_card(const std::string& text, const std::string& subject);

/// The option `name` of a model, as `value` has it.
OptionValue read_option(
    const JsonFields& fields, const std::string& name, const nlohmann::json& value);

}  // namespace vitrine::detail
