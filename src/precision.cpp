#include "vitrine/precision.h"

#include <ATen/autocast_mode.h>

#include <array>
#include <utility>
#include <vector>

#include "vitrine/error.h"

namespace vitrine {
namespace {

constexpr std::array<std::pair<Precision, const char*>, 3> kNames = {
    {{Precision::Fp32, "fp32"}, {Precision::Bf16, "bf16"}, {Precision::Fp16, "fp16"}}};

}  // namespace

std::string to_string(Precision precision) {
  for (const auto& [value, name] : kNames) {
    if (value == precision) {
      return name;
    }
  }
  return "";
}

Precision parse_precision(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [value, known] : kNames) {
    if (name == known) {
      return value;
    }
    names.emplace_back(known);
  }
  throw UnknownNameError("precision", name, names);
}

PrecisionScope::PrecisionScope(Precision precision, c10::DeviceType device)
    : device_(device),
      enabled_(at::autocast::is_autocast_enabled(device)),
      cached_(at::autocast::is_autocast_cache_enabled()),
      type_(at::autocast::get_autocast_dtype(device)) {
  at::autocast::set_autocast_enabled(device, precision != Precision::Fp32);
  if (precision != Precision::Fp32) {
    at::autocast::set_autocast_dtype(
        device, precision == Precision::Bf16 ? c10::kBFloat16 : c10::kHalf);
  }
  // All threads share one cache of weights that were cast, by the weight alone: another thread's
  // casts may be of another type, and those of a pass without gradients lead nowhere backwards.
  // Nothing is lost, as a pass casts each weight once.
  at::autocast::set_autocast_cache_enabled(false);
}

PrecisionScope::~PrecisionScope() {
  at::autocast::set_autocast_cache_enabled(cached_);
  at::autocast::set_autocast_dtype(device_, type_);
  at::autocast::set_autocast_enabled(device_, enabled_);
}

}  // namespace vitrine
