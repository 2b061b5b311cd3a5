#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::detail {

/// What the places of a pattern stood for.
struct KeyMatch {
  std::vector<int> numbers;  // of each {}, in order
  std::string_view rest;     // of the * at the end; a part of the key that was matched
};

/// Compares the whole of `key` with `pattern`, in which {} stands for a number of one to four
/// digits and * at the end for any characters but none; nothing where they differ.
std::optional<KeyMatch> match_key(std::string_view key, std::string_view pattern);

/// `pattern` with what was matched put in: {0}, {1}, ... for the numbers, {0+1} for one more than a
/// number, {0-1} for one less, {0/2} for half of it, and * for the rest.
std::string fill_key(std::string_view pattern, const KeyMatch& match);

}  // namespace vitrine::detail
