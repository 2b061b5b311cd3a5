#include "vitrine/precision.h"

#include <ATen/autocast_mode.h>

#include "name_table.h"

namespace vitrine {
namespace {

const detail::NameTable<Precision>& names() {
  static const detail::NameTable<Precision> table = {
      {Precision::Fp32, "fp32"}, {Precision::Bf16, "bf16"}, {Precision::Fp16, "fp16"}};
  return table;
}

}  // namespace

std::string to_string(Precision precision) {
  return detail::name_of(names(), precision);
}

Precision parse_precision(const std::string& name) {
  return detail::value_of(names(), "precision", name);
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
