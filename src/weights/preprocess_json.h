#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>

#include "vitrine/image/preprocess.h"

#include "json_fields.h"

namespace vitrine::detail {

/// Reads what cards, and timm's configurations, say of an image's way into the model: input_size
/// (channels, rows, columns), mean, std, crop_pct, crop_mode, interpolation; what is
/// not there stays as in `otherwise`. Throws CheckpointError on values out of range.
PreprocessOptions read_preprocess(
    const JsonFields& fields, const PreprocessOptions& otherwise = {});

/// Three numbers of the list `field`, or `otherwise` where there is none; a deviation must be above
/// 0.
std::array<double, 3> read_mean(
    const JsonFields& fields, const char* field, const std::array<double, 3>& otherwise);
std::array<double, 3> read_deviation(
    const JsonFields& fields, const char* field, const std::array<double, 3>& otherwise);

/// The same fields, for images of `channels` channels.
nlohmann::ordered_json preprocess_to_json(
    const PreprocessOptions& preprocess, std::int64_t channels);

/// Throws c10::ValueError, calling it `name`, unless `value` is finite: JSON has no other numbers.
double finite_number(double value, const char* name);

}  // namespace vitrine::detail
