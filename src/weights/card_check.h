#pragma once

#include <string>

#include "vitrine/models/model_card.h"

#include "load_source.h"

namespace vitrine::detail {

/// Checks, before a model is built, that `source` can hold the model that a card describes: a file
/// of a few bytes must not make anyone allocate gigabytes. `parameters` are those of the zoo's
/// model of the card's name. Throws CheckpointError, beginning with `subject`, which says what
/// describes the model: "m.safetensors: the card".
void check_plausible(
    const ModelCard& card, int64_t parameters, const Source& source, const std::string& subject);

}  // namespace vitrine::detail
