#include "vitrine/text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "utf8.h"

namespace vitrine {
namespace {

/// Bytes of the UTF-8 sequence that starts `text`, or 0 when it is not valid UTF-8.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F;
  const bool beyond = first == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

/// Edit distance in which a swap of neighbours counts once.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

/// Whether a terminal obeys the character at the start of `text` instead of showing it: control
/// characters, U+0080 to U+009F among them, ends of lines and paragraphs (U+2028, U+2029), and what
/// turns the direction of the text behind it (U+202A to U+202E, U+2066 to U+2069).
bool is_control(std::string_view text, std::size_t length) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (length == 1) {
    return byte(0) < 0x20 || byte(0) == 0x7F;
  }
  if (length == 2) {
    return byte(0) == 0xC2 && byte(1) < 0xA0;
  }
  return length == 3 && byte(0) == 0xE2 &&
         ((byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE) ||
          (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
}

}  // namespace

bool detail::is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (result.size() >= limit) {
      return result + "...";
    }
    const auto length = utf8_length(text.substr(i));
    if (length == 0 || is_control(text.substr(i), length)) {
      // Of a control character every byte, lest the rest of it be shown as something else.
      for (const auto end = i + std::max<std::size_t>(length, 1); i < end; ++i) {
        char escape[8];
        std::snprintf(escape, sizeof(escape), "\\x%02x", static_cast<std::uint8_t>(text[i]));
        result += escape;
      }
    } else {
      result += text.substr(i, length);
      i += length;
    }
  }
  return result;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    result += i == 0 ? "" : std::string(separator);
    result += parts[i];
  }
  return result;
}

std::vector<std::string> nearest_names(
    std::string_view name, const std::vector<std::string>& candidates, std::size_t count) {
  constexpr std::size_t kLongestName = 100;  // the distance takes time in proportion to the square
  if (name.empty() || name.size() > kLongestName) {
    return {};
  }
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const auto& candidate : candidates) {
    const bool contains = candidate.find(name) != std::string::npos;
    const auto distance = contains ? 1 : edit_distance(name, candidate);
    const auto longest = std::max(name.size(), candidate.size());
    if (contains || distance * 2 <= longest) {
      near.emplace_back(distance, candidate);
    }
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), count));
  std::vector<std::string> result;
  result.reserve(near.size());
  for (auto& [distance, candidate] : near) {
    result.push_back(std::move(candidate));
  }
  return result;
}

bool matches_wildcard(std::string_view text, std::string_view pattern) {
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;  // the last '*' seen
  std::size_t resume = 0;                     // where the text continues if that '*' takes one more
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace vitrine
