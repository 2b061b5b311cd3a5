#pragma once

#include <optional>
#include <string>

#include "vitrine/models/model_card.h"

#include "weights_file.h"

namespace vitrine::detail {

/// The card of the model in a file that carries none.
///
/// Which model of the zoo it is (unless `name` says so), its image's size and channels come
/// from names and shapes of the tensors; where these fit several, from the library whose names they
/// are and from what config.json beside the file says. So do preprocessing and labels. Throws
/// CheckpointError when no model fits, or when several do that differ in more than their name, and
/// names the nearest or these.
ModelCard recognise(const WeightsFile& file, const std::optional<std::string>& name = {});

}  // namespace vitrine::detail
