#pragma once

#include <string>

#include "vitrine/models/model_card.h"

namespace vitrine::detail {

/// `card_from_json`, with errors that begin with `subject`.
ModelCard parse_card(const std::string& text, const std::string& subject);

}  // namespace vitrine::detail
