#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace vitrine {

/// The command line is wrong, whatever the world looks like: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Numbers an option takes.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool with_low = true;   // whether `low` itself is one of them
  bool with_high = true;  // whether `high` itself is one of them

  static Range any() { return {}; }
  static Range at_least(double low) { return {low}; }
  static Range above(double low) { return {low, any().high, false}; }
  static Range closed(double low, double high) { return {low, high}; }
  static Range above_up_to(double low, double high) { return {low, high, false}; }
  static Range from_below(double low, double high) { return {low, high, true, false}; }

  bool contains(double value) const;
  /// Such as "above 0 and at most 1"; empty for any number.
  std::string text() const;
};

/// One option: what the parser, the check of its value and the help know of it.
struct OptionSpec {
  std::string name;      // without the dashes
  std::string value;     // what stands for its value in the help; empty for a flag
  std::string help;      // one phrase
  std::string fallback;  // its value when not given; may be empty
  /// What a value should have been, or nothing where it is right.
  std::function<std::string(const std::string&)> expected;
};

/// `--name`, present or not.
OptionSpec flag_option(const std::string& name, const std::string& help);
/// Any text but none.
OptionSpec text_option(
    const std::string& name,
    const std::string& value,
    const std::string& help,
    const std::string& fallback = "");
/// A whole number from `low` to `high`.
OptionSpec whole_option(
    const std::string& name,
    const std::string& help,
    const std::string& fallback,
    std::int64_t low,
    std::int64_t high = std::numeric_limits<std::int64_t>::max());
/// A finite number in `range`.
OptionSpec real_option(
    const std::string& name, const std::string& help, const std::string& fallback, Range range);
/// `count` finite numbers with commas between, each in `range`; `value` such as "R,G,B".
OptionSpec reals_option(
    const std::string& name,
    const std::string& value,
    const std::string& help,
    const std::string& fallback,
    std::size_t count,
    Range range);
/// One of `choices`.
OptionSpec choice_option(
    const std::string& name,
    const std::vector<std::string>& choices,
    const std::string& help,
    const std::string& fallback = "");

/// Options that the help prints together.
struct OptionGroup {
  std::string title;
  std::vector<OptionSpec> options;
};

/// A command as its help tells it.
struct CommandSpec {
  std::string name;      // such as "classify"
  std::string summary;   // one phrase
  std::string operands;  // such as "INPUT..."; empty for none
  std::size_t least_operands = 0;
  std::size_t most_operands = 0;
  std::string
      description;  // what the operands are, and what comes out; lines of at most 100 columns
  std::vector<OptionGroup> groups;
  std::vector<std::string> examples;  // lines of a shell

  /// The option called `name`, or nothing.
  const OptionSpec* find(const std::string& name) const;
  /// Names of all options.
  std::vector<std::string> option_names() const;
};

/// The whole help of a command.
std::string help_text(const CommandSpec& spec);

/// What a command line says. Of an option given twice the last value counts, `all` apart.
class Arguments {
 public:
  /// Parses what follows the command's name, and checks every value against its option. Throws
  /// UsageError. With `--help` among the words nothing is checked.
  Arguments(CommandSpec spec, const std::vector<std::string>& words);

  /// Whether `--help` was asked for.
  bool wants_help() const { return wants_help_; }
  /// Whether the option was given, by the command line or by `set_default`.
  bool given(const std::string& name) const;
  /// The option's value as text; its fallback when not given.
  std::string text(const std::string& name) const;
  bool flag(const std::string& name) const;
  std::int64_t whole(const std::string& name) const;
  double real(const std::string& name) const;
  /// Numbers between commas.
  std::vector<double> reals(const std::string& name) const;
  /// Every value of an option that may be repeated, in order.
  std::vector<std::string> all(const std::string& name) const;
  /// What is no option, in order.
  const std::vector<std::string>& operands() const { return operands_; }

  /// Gives an option its value where the command line does not; `source` names where the value
  /// comes from, such as a file. A flag takes "true" or "false". Throws Error on an unknown name or
  /// bad value.
  void set_default(const std::string& name, const std::string& value, const std::string& source);

  const CommandSpec& spec() const { return spec_; }

 private:
  void parse(const std::vector<std::string>& words);
  void check() const;

  CommandSpec spec_;
  bool wants_help_ = false;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> operands_;
};

/// `text` as a whole number or as a finite number; false, leaving `value`, where it is none.
bool parse_whole(const std::string& text, std::int64_t& value);
bool parse_real(const std::string& text, double& value);

/// `text` cut at every `separator`.
std::vector<std::string> split(const std::string& text, char separator);

}  // namespace vitrine
