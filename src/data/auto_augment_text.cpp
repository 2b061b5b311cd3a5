#include "data/auto_augment_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "vitrine/text.h"

#include "data/auto_augment_policies.h"

namespace vitrine::detail {
namespace {

const std::vector<std::string> kPolicies = {
    "rand", "original", "originalr", "v0", "v0r", "3a", "ta_wide"};
const std::vector<std::string> kRandSections = {"m", "n", "p", "mstd", "mmax", "inc", "t"};
const std::vector<std::string> kRandSets = {"weights", "3a", "3aw"};

constexpr double kMostLevel = 1000;
/// A deviation beyond this stands for levels drawn evenly.
constexpr double kMostDeviation = 100;

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

/// "a, b or c".
std::string one_of(const std::vector<std::string>& names) {
  const std::vector<std::string> but_last(names.begin(), names.end() - 1);
  return (but_last.empty() ? "" : join(but_last, ", ") + " or ") + names.back();
}

[[noreturn]] void fail(
    const std::string& what, const std::string& found, const std::vector<std::string>& nearest) {
  auto text = what + " in place of '" + printable(found) + "'";
  if (!nearest.empty()) {
    text += "; the nearest: " + join(nearest, ", ");
  }
  throw std::invalid_argument(text);
}

/// One part of the text behind a dash: a name of letters, and what follows it.
struct Section {
  std::string text;
  std::string key;
  std::string value;
};

Section section_of(const std::string& text) {
  const auto digits = std::find_if(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '.' || c == '+';
  });
  return {text, {text.begin(), digits}, {digits, text.end()}};
}

double number_in(const Section& section, double low, double high, bool whole) {
  const auto& text = section.value;
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool complete = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (!complete || !(value >= low && value <= high) || (whole && value != std::floor(value))) {
    const auto written = [](double bound) { return std::to_string(static_cast<int>(bound)); };
    const auto limits = std::isinf(high) ? " of at least " + written(low)
                                         : " from " + written(low) + " to " + written(high);
    fail(section.key + " with a" + (whole ? " whole" : "") + " number" + limits, section.text, {});
  }
  return value;
}

double deviation_in(const Section& section) {
  return number_in(section, 0, std::numeric_limits<double>::infinity(), /*whole=*/false);
}

/// Sections as given, each at most once and named by `keys`.
std::vector<Section> sections_of(
    const std::vector<std::string>& parts, const std::vector<std::string>& keys) {
  std::vector<Section> sections;
  std::set<std::string> seen;
  for (const auto& part : parts) {
    auto section = section_of(part);
    if (section.text.substr(0, 1) == "t") {  // a name follows, not a number
      section = {part, "t", part.substr(1)};
    }
    if (std::find(keys.begin(), keys.end(), section.key) == keys.end()) {
      fail("a section " + one_of(keys), part, nearest_names(section.key, keys, 1));
    }
    if (!seen.insert(section.key).second) {
      fail("each section once", part, {});
    }
    sections.push_back(std::move(section));
  }
  return sections;
}

std::vector<AugmentStep> steps_of(const std::vector<PolicyStep>& steps) {
  std::vector<AugmentStep> result;
  result.reserve(steps.size());
  for (const auto& step : steps) {
    result.push_back({&find_augment_op(step.op), step.probability, step.level});
  }
  return result;
}

AugmentPolicy rand_augment(const std::vector<std::string>& parts) {
  AugmentPolicy policy;
  policy.count = 2;
  double level = 10;
  double probability = 0.5;
  bool increasing = false;
  std::string set;
  for (const auto& section : sections_of(parts, kRandSections)) {
    if (section.key == "m") {
      level = number_in(section, 0, kMostLevel, /*whole=*/true);
    } else if (section.key == "n") {
      policy.count = static_cast<int64_t>(number_in(section, 1, 100, /*whole=*/true));
    } else if (section.key == "p") {
      probability = number_in(section, 0, 1, /*whole=*/false);
    } else if (section.key == "mstd") {
      const auto deviation = deviation_in(section);
      policy.level_std =
          deviation > kMostDeviation ? std::numeric_limits<double>::infinity() : deviation;
    } else if (section.key == "mmax") {
      policy.highest_level = number_in(section, 1, kMostLevel, /*whole=*/true);
    } else if (section.key == "inc") {
      increasing = number_in(section, 0, 1, /*whole=*/true) != 0;
    } else {
      set = section.value;
      if (std::find(kRandSets.begin(), kRandSets.end(), set) == kRandSets.end()) {
        fail("t with " + one_of(kRandSets), section.text, nearest_names(set, kRandSets, 1));
      }
    }
  }
  const auto ops = rand_augment_ops(set, increasing);
  for (const auto& op : ops) {
    policy.choices.push_back({{&find_augment_op(op.op), probability, level}});
    if (set == "weights" || set == "3aw") {
      policy.weights.push_back(op.weight);
    }
  }
  if (!policy.weights.empty() && policy.count > static_cast<int64_t>(ops.size())) {
    fail(
        "n of at most " + std::to_string(ops.size()) + ", the operations of t" + set,
        "n" + std::to_string(policy.count),
        {});
  }
  return policy;
}

AugmentPolicy auto_augment(const std::string& name, const std::vector<std::string>& parts) {
  AugmentPolicy policy;
  for (const auto& section : sections_of(parts, {"mstd"})) {
    policy.level_std = deviation_in(section);
  }
  for (const auto& steps : auto_augment_policy(name)) {
    policy.choices.push_back(steps_of(steps));
  }
  return policy;
}

AugmentPolicy trivial_augment(const std::vector<std::string>& parts) {
  if (!parts.empty()) {
    fail("nothing behind ta_wide", parts.front(), {});
  }
  AugmentPolicy policy;
  policy.bins = 31;
  policy.style = WarpStyle{Sampling::Nearest, {0, 0, 0}};
  for (const auto name : trivial_augment_ops()) {
    policy.choices.push_back({{&find_augment_op(name), /*probability=*/1, /*level=*/0}});
  }
  return policy;
}

}  // namespace

AugmentPolicy parse_augment_policy(const std::string& text) {
  auto parts = split(text, '-');
  const auto name = parts.front();
  parts.erase(parts.begin());
  if (std::find(kPolicies.begin(), kPolicies.end(), name) == kPolicies.end()) {
    fail("a policy " + one_of(kPolicies), name, nearest_names(name, kPolicies, 1));
  }
  if (name == "rand") {
    return rand_augment(parts);
  }
  return name == "ta_wide" ? trivial_augment(parts) : auto_augment(name, parts);
}

}  // namespace vitrine::detail
