#pragma once

#include <string>

#include "vitrine/weights/model_file.h"

#include "arguments.h"

namespace vitrine {

/// Throws UsageError without --weights, UnknownNameError where --model is no model; commands call
/// it before they open anything.
void check_model_options(const Arguments& arguments);

/// The model of --weights, or of the file at `path`, with everything that the options say
/// otherwise. Throws UsageError without --weights.
/// With `any_head` the file may lack the head or have another one, and what comes may be random.
LoadedModel open_model(const Arguments& arguments);
LoadedModel open_model(const Arguments& arguments, const std::string& path, bool any_head = false);

/// The model of --weights, or of the file at `path`, for commands that need classes; throws Error
/// where it has no head.
LoadedModel open_classifier(const Arguments& arguments);
LoadedModel open_classifier(const Arguments& arguments, const std::string& path);

}  // namespace vitrine
