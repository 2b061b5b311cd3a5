#pragma once

#include <string_view>

namespace vitrine::detail {

/// Whether `text` is valid UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace vitrine::detail
