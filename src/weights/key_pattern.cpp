#include "key_pattern.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vitrine::detail {
namespace {

constexpr std::size_t kMostDigits = 4;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The inside of a {}: number `index` times `factor` plus `offset`.
struct NumberPlace {
  std::size_t index = 0;
  int factor = 1;
  int offset = 0;
};

/// Reads the place at `i`, where its { is, and sets `i` to where its } is. Patterns are vitrine's
/// own: nothing is checked.
NumberPlace read_place(std::string_view pattern, std::size_t& i, std::size_t& next) {
  NumberPlace place;
  place.index = is_digit(pattern[++i]) ? static_cast<std::size_t>(pattern[i++] - '0') : next;
  next = place.index + 1;
  for (; pattern[i] != '}'; i += 2) {
    const int number = pattern[i + 1] - '0';
    (pattern[i] == '*' ? place.factor : place.offset) = pattern[i] == '-' ? -number : number;
  }
  return place;
}

/// The number at `at` of `key`, which is moved past it; nothing where there is none, or a long one.
std::optional<int> read_number(std::string_view key, std::size_t& at) {
  int number = 0;
  const auto begin = at;
  for (; at < key.size() && is_digit(key[at]); ++at) {
    number = at - begin < kMostDigits ? 10 * number + (key[at] - '0') : number;
  }
  return at == begin || at - begin > kMostDigits ? std::nullopt : std::optional(number);
}

}  // namespace

std::optional<KeyMatch> match_key(std::string_view key, std::string_view pattern) {
  KeyMatch match;
  std::size_t at = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      match.rest = key.substr(at);
      return match.rest.empty() ? std::nullopt : std::optional(std::move(match));
    }
    if (pattern[i] == '{') {
      const auto place = read_place(pattern, i, next);
      const auto number = read_number(key, at);
      if (!number || *number < place.offset || (*number - place.offset) % place.factor != 0) {
        return std::nullopt;
      }
      match.numbers.resize(std::max(match.numbers.size(), place.index + 1));
      match.numbers[place.index] = (*number - place.offset) / place.factor;
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
  std::size_t next = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      key += match.rest;
    } else if (pattern[i] == '{') {
      const auto place = read_place(pattern, i, next);
      key += std::to_string(match.numbers.at(place.index) * place.factor + place.offset);
    } else {
      key += pattern[i];
    }
  }
  return key;
}

}  // namespace vitrine::detail
