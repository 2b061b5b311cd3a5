#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "vitrine/text.h"

#include "arguments.h"

namespace vitrine {
namespace {

/// All of `text` as a number; locales play no part, and no blank or sign "+" may stand before it.
template <typename Number>
bool parse_all(const std::string& text, Number& value) {
  Number parsed{};
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, parsed);
  if (result.ec != std::errc() || result.ptr != end) {
    return false;
  }
  value = parsed;
  return true;
}

/// A number as one would write it: 0.1, not 0.100000.
std::string number_text(double value) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof(text), value);
  return {text, result.ptr};
}

}  // namespace

bool parse_whole(const std::string& text, std::int64_t& value) {
  return parse_all(text, value);
}

bool parse_real(const std::string& text, double& value) {
  double parsed = 0;
  if (!parse_all(text, parsed) || !std::isfinite(parsed)) {
    return false;
  }
  value = parsed;
  return true;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool Range::contains(double value) const {
  return (with_low ? value >= low : value > low) && (with_high ? value <= high : value < high);
}

std::string Range::text() const {
  std::vector<std::string> parts;
  if (std::isfinite(low)) {
    parts.push_back((with_low ? "at least " : "above ") + number_text(low));
  }
  if (std::isfinite(high)) {
    parts.push_back((with_high ? "at most " : "below ") + number_text(high));
  }
  return join(parts, " and ");
}

OptionSpec flag_option(const std::string& name, const std::string& help) {
  return {name, "", help, "", [](const std::string& text) -> std::string {
            return text == "true" || text == "false" ? "" : "true or false";
          }};
}

OptionSpec text_option(
    const std::string& name,
    const std::string& value,
    const std::string& help,
    const std::string& fallback) {
  return {name, value, help, fallback, [value](const std::string& text) {
            return text.empty() ? value : "";
          }};
}

OptionSpec whole_option(
    const std::string& name,
    const std::string& help,
    const std::string& fallback,
    std::int64_t low,
    std::int64_t high) {
  const bool bounded = high != std::numeric_limits<std::int64_t>::max();
  const auto expected =
      "a whole number " + (bounded ? "from " + std::to_string(low) + " to " + std::to_string(high)
                                   : "of at least " + std::to_string(low));
  return {name, "N", help, fallback, [=](const std::string& text) -> std::string {
            std::int64_t number = 0;
            return parse_whole(text, number) && number >= low && number <= high ? "" : expected;
          }};
}

OptionSpec real_option(
    const std::string& name, const std::string& help, const std::string& fallback, Range range) {
  const auto limits = range.text();
  const auto expected = "a number" + (limits.empty() ? "" : " " + limits);
  return {name, "F", help, fallback, [=](const std::string& text) -> std::string {
            double number = 0;
            return parse_real(text, number) && range.contains(number) ? "" : expected;
          }};
}

OptionSpec reals_option(
    const std::string& name,
    const std::string& value,
    const std::string& help,
    const std::string& fallback,
    std::size_t count,
    Range range) {
  const auto limits = range.text();
  const auto expected = std::to_string(count) + " numbers with commas between" +
                        (limits.empty() ? "" : ", each " + limits);
  return {name, value, help, fallback, [=](const std::string& text) -> std::string {
            const auto parts = split(text, ',');
            const bool right = std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
              double number = 0;
              return parse_real(part, number) && range.contains(number);
            });
            return right && parts.size() == count ? "" : expected;
          }};
}

OptionSpec choice_option(
    const std::string& name,
    const std::vector<std::string>& choices,
    const std::string& help,
    const std::string& fallback) {
  return {name, join(choices, "|"), help, fallback, [choices](const std::string& text) {
            const bool known = std::find(choices.begin(), choices.end(), text) != choices.end();
            return known ? std::string() : "one of " + join(choices, ", ");
          }};
}

}  // namespace vitrine
