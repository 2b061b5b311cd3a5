#pragma once

#include <string>

#include "vitrine/weights/state_dict.h"

namespace vitrine::detail {

/// Tensors with timm's names, brought to the names and shapes of another library: the way back of
/// `map_keys`, by the same rules. `layout` is the name of one of `key_layouts`. Throws Error when
/// the layout has no place for one of them.
StateDict to_layout(const StateDict& tensors, const std::string& layout);

}  // namespace vitrine::detail
