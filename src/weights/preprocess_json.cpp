#include "preprocess_json.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

using Json = nlohmann::json;
using Triple = std::array<double, 3>;

constexpr std::int64_t kMaxInputSide = 1 << 14;  // rows or columns of an input, in pixels

/// Sets `result` to what `parse` makes of the string `field`, where it is there.
template <typename Value, typename Parse>
void read_word(const JsonFields& fields, const char* field, Value& result, const Parse& parse) {
  const auto* value = fields.find(field);
  if (value == nullptr) {
    return;
  }
  const auto word = fields.text(field, *value);
  try {
    result = parse(word);
  } catch (const UnknownNameError& error) {
    fields.fail(field, "is '" + printable(word, 40) + "': " + error.what());
  }
}

}  // namespace

Triple read_mean(const JsonFields& fields, const char* field, const Triple& otherwise) {
  const auto* list = fields.array(field);
  if (list == nullptr) {
    return otherwise;
  }
  if (list->size() != otherwise.size()) {
    fields.fail(field, "has " + std::to_string(list->size()) + " values, expected 3");
  }
  Triple result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = fields.number(std::string(field) + "[" + std::to_string(i) + "]", (*list)[i]);
  }
  return result;
}

Triple read_deviation(const JsonFields& fields, const char* field, const Triple& otherwise) {
  const auto result = read_mean(fields, field, otherwise);
  for (const auto value : result) {
    if (!(value > 0)) {
      fields.fail(field, "is not positive");
    }
  }
  return result;
}

PreprocessOptions read_preprocess(const JsonFields& fields, const PreprocessOptions& otherwise) {
  auto options = otherwise;
  if (const auto* size = fields.array("input_size")) {
    if (size->size() != 3) {
      fields.fail("input_size", "has " + std::to_string(size->size()) + " values, expected 3");
    }
    options.height(fields.integer("input_size[1]", (*size)[1]));
    options.width(fields.integer("input_size[2]", (*size)[2]));
    if (std::min(options.height(), options.width()) < 1 ||
        std::max(options.height(), options.width()) > kMaxInputSide) {
      fields.fail(
          "input_size",
          "is " + size->dump() + ", expected sides from 1 to " + std::to_string(kMaxInputSide));
    }
  }
  options.mean(read_mean(fields, "mean", options.mean()));
  options.std(read_deviation(fields, "std", options.std()));
  fields.read("crop_pct", options.crop_pct());
  if (!(options.crop_pct() > 0 && options.crop_pct() <= 1)) {
    fields.fail(
        "crop_pct", "is " + Json(options.crop_pct()).dump() + ", expected more than 0, up to 1");
  }
  read_word(fields, "crop_mode", options.crop_mode(), parse_crop_mode);
  read_word(fields, "interpolation", options.interpolation(), parse_interpolation);
  return options;
}

double finite_number(double value, const char* name) {
  TORCH_CHECK_VALUE(
      std::isfinite(value), "the card's ", name, " is ", value, ", expected a finite number");
  return value;
}

nlohmann::ordered_json preprocess_to_json(
    const PreprocessOptions& preprocess, std::int64_t channels) {
  for (const auto value : preprocess.mean()) {
    finite_number(value, "mean");
  }
  for (const auto value : preprocess.std()) {
    finite_number(value, "std");
  }
  return {
      {"input_size", {channels, preprocess.height(), preprocess.width()}},
      {"mean", preprocess.mean()},
      {"std", preprocess.std()},
      {"crop_pct", finite_number(preprocess.crop_pct(), "crop_pct")},
      {"crop_mode", to_string(preprocess.crop_mode())},
      {"interpolation", to_string(preprocess.interpolation())}};
}

}  // namespace vitrine::detail
