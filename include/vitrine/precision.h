#pragma once

#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

#include <string>

#include "vitrine/export.h"

namespace vitrine {

/// Numbers that a model computes with. Its weights stay float32: with Bf16 and Fp16 what gains by
/// it, products and convolutions above all, is computed with bfloat16 or float16, and what would
/// suffer with float32 (LibTorch's autocast).
enum class Precision { Fp32, Bf16, Fp16 };

/// "fp32", "bf16" and "fp16", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(Precision precision);
VITRINE_API Precision parse_precision(const std::string& name);

/// Makes this thread compute at a precision on one type of device, and as before on destruction,
/// whatever it was. Other threads are not concerned. A backward pass belongs behind its end.
class VITRINE_API PrecisionScope {
 public:
  PrecisionScope(Precision precision, c10::DeviceType device);
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;
  ~PrecisionScope();

 private:
  c10::DeviceType device_;
  bool enabled_;
  bool cached_;
  c10::ScalarType type_;
};

}  // namespace vitrine
