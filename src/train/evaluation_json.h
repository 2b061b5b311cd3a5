#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "vitrine/train/evaluator.h"

namespace vitrine::detail {

/// How well the best model of a run does, that of `epoch`, as JSON for `evaluation_from_json`.
std::string evaluation_to_json(const Evaluation& evaluation, int64_t epoch);

/// What was written so; nothing where it is of another epoch, of other numbers of classes or of
/// images to judge by, or damaged.
std::optional<Evaluation> evaluation_from_json(
    const std::string& text, int64_t epoch, int64_t classes, std::size_t images);

}  // namespace vitrine::detail
