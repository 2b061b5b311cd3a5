#include "key_pattern.h"

#include <cstddef>

namespace vitrine::detail {
namespace {

constexpr std::size_t kMostDigits = 4;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<KeyMatch> match_key(std::string_view key, std::string_view pattern) {
  KeyMatch match;
  std::size_t at = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      match.rest = key.substr(at);
      return match.rest.empty() ? std::nullopt : std::optional(std::move(match));
    }
    if (pattern[i] == '{') {
      ++i;  // past the closing brace
      int number = 0;
      std::size_t digits = 0;
      for (; at < key.size() && is_digit(key[at]); ++at, ++digits) {
        number = digits < kMostDigits ? 10 * number + (key[at] - '0') : number;
      }
      if (digits == 0 || digits > kMostDigits) {
        return std::nullopt;
      }
      match.numbers.push_back(number);
      continue;
    }
    if (at == key.size() || key[at] != pattern[i]) {
      return std::nullopt;
    }
    ++at;
  }
  return at == key.size() ? std::optional(std::move(match)) : std::nullopt;
}

std::string fill_key(std::string_view pattern, const KeyMatch& match) {
  std::string key;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      key += match.rest;
    } else if (pattern[i] == '{') {
      auto number = match.numbers.at(static_cast<std::size_t>(pattern[++i] - '0'));
      if (pattern[++i] != '}') {
        number = pattern[i] == '/' ? number / 2 : pattern[i] == '+' ? number + 1 : number - 1;
        i += 2;  // past the digit and onto the closing brace
      }
      key += std::to_string(number);
    } else {
      key += pattern[i];
    }
  }
  return key;
}

}  // namespace vitrine::detail
