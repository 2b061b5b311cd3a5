#pragma once

#include <string_view>

namespace vitrine::detail {

/// Whether `key` names a table that a module derives from its options, by the name that any library
/// gives it: relative position index and coordinates, attention mask, fixed positions.
bool is_derived(std::string_view key);

}  // namespace vitrine::detail
