#pragma once

#include <string>

#include "vitrine/models/model_card.h"

#include "safetensors_header.h"

namespace vitrine::detail {

/// Checks, before a model is built, that the file can hold the model that its card describes: a
/// file of a few bytes must not make anyone allocate gigabytes. `parameters` are those of the zoo's
/// model of the card's name. Throws CheckpointError, beginning with `subject`.
void check_plausible(
    const ModelCard& card,
    int64_t parameters,
    const SafetensorsHeader& header,
    const std::string& subject);

}  // namespace vitrine::detail
