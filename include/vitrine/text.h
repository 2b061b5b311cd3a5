#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// `text` fit for a message on one line: control characters and bytes that are not UTF-8 are
/// written as \xHH, and what goes beyond `limit` bytes is replaced by "...". For names that come
/// out of files.
VITRINE_API std::string printable(std::string_view text, std::size_t limit = 200);

/// `parts` with `separator` between them.
VITRINE_API std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// At most `count` of `candidates`, those nearest to `name` by edit distance (Damerau-Levenshtein;
/// a name that contains `name` or begins as it does counts as near), nearest first; none when
/// nothing resembles it.
VITRINE_API std::vector<std::string> nearest_names(
    std::string_view name, const std::vector<std::string>& candidates, std::size_t count = 3);

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one.
VITRINE_API bool matches_wildcard(std::string_view text, std::string_view pattern);

}  // namespace vitrine
