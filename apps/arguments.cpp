#include "arguments.h"

// A comma is part of a file's name, not a separator; no argument holds a zero byte.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <cxxopts.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

constexpr char kOperands[] = "operands";

cxxopts::Options parser(const CommandSpec& spec) {
  cxxopts::Options options("vitrine " + spec.name);
  options.allow_unrecognised_options();
  for (const auto& group : spec.groups) {
    for (const auto& option : group.options) {
      // Values stay text here: each option's own check knows better what was expected.
      auto value = cxxopts::value<std::string>();
      if (option.value.empty()) {
        value->implicit_value("true");
      }
      options.add_options()(option.name, option.help, value);
    }
  }
  options.add_options()(kOperands, "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional(kOperands);
  return options;
}

std::string expected_message(
    const std::string& name, const std::string& value, const std::string& expected) {
  return "option " + name + ": got " + (value.empty() ? "nothing" : printable(value)) +
         ", expected " + expected;
}

std::string unknown_option_message(const CommandSpec& spec, const std::string& word) {
  const auto dashes = word.find_first_not_of('-');
  const auto start = dashes == std::string::npos ? word.size() : dashes;
  const auto name = word.substr(start, word.find('=', start) - start);
  auto nearest = nearest_names(name, spec.option_names());
  for (auto& candidate : nearest) {
    candidate.insert(0, "--");
  }
  return "unknown option '" + printable(word.substr(0, start) + name) + "'; " +
         (nearest.empty() ? "" : "the nearest: " + join(nearest, ", ") + "; ") + "'vitrine " +
         spec.name + " --help' lists them";
}

}  // namespace

const OptionSpec* CommandSpec::find(const std::string& option) const {
  for (const auto& group : groups) {
    for (const auto& candidate : group.options) {
      if (candidate.name == option) {
        return &candidate;
      }
    }
  }
  return nullptr;
}

std::vector<std::string> CommandSpec::option_names() const {
  std::vector<std::string> names;
  for (const auto& group : groups) {
    for (const auto& option : group.options) {
      names.push_back(option.name);
    }
  }
  names.push_back("help");
  return names;
}

Arguments::Arguments(CommandSpec spec, const std::vector<std::string>& words)
    : spec_(std::move(spec)) {
  parse(words);
  if (!wants_help_) {
    check();
  }
}

void Arguments::parse(const std::vector<std::string>& words) {
  // What follows "--" is no option, whatever it looks like.
  const auto end = std::find(words.begin(), words.end(), "--");
  std::vector<const char*> before{"vitrine"};
  for (auto word = words.begin(); word != end; ++word) {
    wants_help_ = wants_help_ || *word == "--help" || *word == "-h";
    before.push_back(word->c_str());
  }
  if (wants_help_) {
    return;
  }
  if (before.size() > 1) {
    const std::string last = before.back();
    const auto* option = last.rfind("--", 0) == 0 ? spec_.find(last.substr(2)) : nullptr;
    if (option && !option->value.empty()) {
      throw UsageError("option " + last + ": its value is missing, expected " + option->value);
    }
  }
  const auto result = parser(spec_).parse(static_cast<int>(before.size()), before.data());
  for (const auto& word : result.unmatched()) {
    throw UsageError(unknown_option_message(spec_, word));
  }
  for (const auto& argument : result.arguments()) {
    if (argument.key() != kOperands) {
      values_[argument.key()].push_back(argument.value());
    } else if (argument.value().size() > 1 && argument.value()[0] == '-') {
      throw UsageError(unknown_option_message(spec_, argument.value()));
    } else {
      operands_.push_back(argument.value());
    }
  }
  if (end != words.end()) {
    operands_.insert(operands_.end(), end + 1, words.end());
  }
}

void Arguments::check() const {
  for (const auto& [name, values] : values_) {
    const auto& option = *spec_.find(name);
    for (const auto& value : values) {
      const bool swallowed = !option.value.empty() && value.rfind("--", 0) == 0;
      const auto expected =
          swallowed ? option.value + "; is its value missing?" : option.expected(value);
      if (!expected.empty()) {
        throw UsageError(expected_message("--" + name, value, expected));
      }
    }
  }
  const auto see = "; see 'vitrine " + spec_.name + " --help'";
  if (operands_.size() < spec_.least_operands) {
    throw UsageError(spec_.name + ": " + spec_.operands + " is missing" + see);
  }
  if (operands_.size() > spec_.most_operands) {
    throw UsageError(
        spec_.name + ": unexpected '" + printable(operands_[spec_.most_operands]) + "'" + see);
  }
}

bool Arguments::given(const std::string& name) const {
  return values_.count(name) != 0;
}

std::string Arguments::text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found != values_.end()) {
    return found->second.back();
  }
  const auto* option = spec_.find(name);
  return option ? option->fallback : "";
}

bool Arguments::flag(const std::string& name) const {
  return text(name) == "true";
}

std::int64_t Arguments::whole(const std::string& name) const {
  std::int64_t value = 0;
  parse_whole(text(name), value);
  return value;
}

double Arguments::real(const std::string& name) const {
  double value = 0;
  parse_real(text(name), value);
  return value;
}

std::vector<double> Arguments::reals(const std::string& name) const {
  std::vector<double> values;
  for (const auto& part : split(text(name), ',')) {
    parse_real(part, values.emplace_back());
  }
  return values;
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

void Arguments::set_default(
    const std::string& name, const std::string& value, const std::string& source) {
  const auto* option = spec_.find(name);
  if (!option) {
    throw Error(
        printable(source) + ": " + UnknownNameError("option", name, spec_.option_names()).what());
  }
  const auto expected = option->expected(value);
  if (!expected.empty()) {
    throw Error(printable(source) + ": " + expected_message(name, value, expected));
  }
  if (!given(name)) {
    values_[name].push_back(value);
  }
}

}  // namespace vitrine
