#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "vitrine/train/train_options.h"

#include "arguments.h"

namespace vitrine {

/// An option and what it does to the options of a run.
struct Flag {
  OptionSpec spec;
  std::function<void(TrainOptions&, const Arguments&, const std::string&)> apply;
};

inline std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

inline std::string numbers(const Bounds& bounds) {
  return number(bounds.first) + "," + number(bounds.second);
}

/// `access` gives a reference to the option; its value in `TrainOptions{}` is the default.
template <typename Access>
Flag real(const char* name, const char* help, Range range, Access access) {
  TrainOptions defaults;
  return {
      real_option(name, help, number(access(defaults)), range),
      [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        access(o) = a.real(n);
      }};
}

template <typename Access>
Flag whole(const char* name, const char* help, int64_t low, int64_t high, Access access) {
  TrainOptions defaults;
  return {
      whole_option(name, help, std::to_string(access(defaults)), low, high),
      [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        access(o) = static_cast<std::decay_t<decltype(access(o))>>(a.whole(n));
      }};
}

template <typename Access>
Flag bounds(const char* name, const char* value, const char* help, Range range, Access access) {
  TrainOptions defaults;
  return {
      reals_option(name, value, help, numbers(access(defaults)), 2, range),
      [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        const auto values = a.reals(n);
        access(o) = {values[0], values[1]};
      }};
}

/// `access` gives an enumeration, which `parse` reads.
template <typename Access, typename Parse>
Flag choice(
    const char* name,
    const std::vector<std::string>& choices,
    const char* help,
    Access access,
    Parse parse) {
  TrainOptions defaults;
  return {
      choice_option(name, choices, help, to_string(access(defaults))),
      [access, parse](TrainOptions& o, const Arguments& a, const std::string& n) {
        access(o) = parse(a.text(n));
      }};
}

template <typename Access>
Flag flag(const char* name, const char* help, Access access) {
  return {
      flag_option(name, help), [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        access(o) = a.flag(n);
      }};
}

}  // namespace vitrine
