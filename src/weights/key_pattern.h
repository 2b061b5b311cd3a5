#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::detail {

/// Whether `name` begins with `prefix`.
inline bool starts_with(std::string_view name, std::string_view prefix) {
  return name.substr(0, prefix.size()) == prefix;
}

/// What the places of a pattern stood for.
struct KeyMatch {
  std::vector<int> numbers;  // by their place in the pattern's count: {0}, {1}, ...
  std::string_view rest;     // of the * at the end; a part of the key that was matched
};

// In a pattern {0}, {1}, ... stand for a number of one to four digits, in any order; {} for the
// next one. {0+1}, {0-1}, {0*2} and {0*2+1} stand for what becomes of the number, so that a pattern
// can be read and written alike. * at the end stands for any characters but none.

/// Compares the whole of `key` with `pattern`; nothing where they differ.
std::optional<KeyMatch> match_key(std::string_view key, std::string_view pattern);

/// `pattern` with what was matched put in.
std::string fill_key(std::string_view pattern, const KeyMatch& match);

}  // namespace vitrine::detail
