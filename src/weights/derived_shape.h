#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "key_map.h"

namespace vitrine::detail {

/// Shape of what `derivation` makes of whole tensors shaped like `sources`, of which there is at
/// least one; nothing where they do not fit together. Not for Rows and Tokens, which take a part.
std::optional<std::vector<std::int64_t>> derived_shape(
    Derivation derivation, const std::vector<std::vector<std::int64_t>>& sources);

}  // namespace vitrine::detail
