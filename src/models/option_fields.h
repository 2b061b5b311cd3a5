#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/models/model_options.h"

namespace vitrine::detail {

/// Puts the values of a ModelOptions into the fields of a family's options. Called with each field
/// in turn; `finish` refuses the names that no field bore.
class OptionReader {
 public:
  /// `family` is named in errors.
  OptionReader(const ModelOptions& options, std::string family);

  void operator()(const char* name, bool& field);
  void operator()(const char* name, int64_t& field);
  void operator()(const char* name, double& field);
  void operator()(const char* name, std::string& field);
  void operator()(const char* name, std::optional<bool>& field);
  void operator()(const char* name, std::vector<int64_t>& field);    // one number is a list of one
  void operator()(const char* name, std::array<int64_t, 2>& field);  // one number stands for both

  void finish() const;

 private:
  const OptionValue* take(const char* name);
  template <typename T>
  const T& as(const char* name, const OptionValue& value, const char* expected) const;
  /// Throws c10::ValueError when `value` is larger than any size makes sense.
  void check_size(const char* name, int64_t value) const;

  std::string family_;
  std::map<std::string, OptionValue> values_;
  std::vector<std::string> names_;  // of the fields seen
};

/// Collects the fields of a family's options into a ModelOptions.
class OptionWriter {
 public:
  template <typename T>
  void operator()(const char* name, const T& field) {
    options_.set(name, field);
  }
  void operator()(const char* name, const std::optional<bool>& field) {
    if (field) {
      options_.set(name, *field);
    }
  }
  void operator()(const char* name, const std::array<int64_t, 2>& field) {
    options_.set(name, std::vector<int64_t>(field.begin(), field.end()));
  }
  ModelOptions take() { return std::move(options_); }

 private:
  ModelOptions options_;
};

/// The numbers that `options` hold under `name`; empty where that is nothing of the kind, or beyond
/// what any size can be.
std::vector<int64_t> find_sizes(const ModelOptions& options, const std::string& name);

/// Rows and columns that `options` hold under `name`, if they do.
std::optional<std::array<int64_t, 2>> find_sides(
    const ModelOptions& options, const std::string& name);

/// `base` with `overrides` put in. `visit(options, visitor)` names every field.
template <typename Options, typename Visit>
Options with_options(
    Options base, const ModelOptions& overrides, const std::string& family, const Visit& visit) {
  OptionReader reader(overrides, family);
  visit(base, reader);
  reader.finish();
  return base;
}

/// Every field of `options`, by name.
template <typename Options, typename Visit>
ModelOptions as_model_options(Options options, const Visit& visit) {
  OptionWriter writer;
  visit(options, writer);
  return writer.take();
}

}  // namespace vitrine::detail
