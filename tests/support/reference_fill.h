#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// Folder of checkpoints in other libraries' layouts.
inline const std::string kLayouts = VITRINE_TEST_DATA "/golden/layouts/";

/// Number i of the stream of `name`, in [0, 1): a hash that tests/golden/reference_fill.py computes
/// alike, so that a model of any size can be given the same weights here and there without a file.
inline double reference_number(std::uint32_t name_hash, std::uint32_t i) {
  std::uint32_t h = name_hash ^ (i * 0x9E3779B1U);
  h = (h ^ (h >> 16)) * 0x85EBCA6BU;
  h = (h ^ (h >> 13)) * 0xC2B2AE35U;
  h ^= h >> 16;
  return h / 4294967296.0;
}

/// FNV-1a of `name`.
inline std::uint32_t reference_hash(const std::string& name) {
  std::uint32_t h = 2166136261U;
  for (const char c : name) {
    h = (h ^ static_cast<std::uint8_t>(c)) * 16777619U;
  }
  return h;
}

/// A float32 tensor of offset + scale * number for the stream of `name`.
inline torch::Tensor reference_tensor(
    const std::string& name, at::IntArrayRef shape, double offset = -1, double scale = 2) {
  auto tensor = torch::empty(shape, torch::kFloat);
  auto* data = tensor.mutable_data_ptr<float>();
  const auto hash = reference_hash(name);
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    data[i] =
        static_cast<float>(offset + scale * reference_number(hash, static_cast<std::uint32_t>(i)));
  }
  return tensor;
}

/// What `reference_fill` gives a tensor of this key and shape: norms' weights and variances are
/// around 1, matrices by their fan-in, everything else around 0.
inline torch::Tensor reference_value(const std::string& key, at::IntArrayRef shape) {
  const auto ends_with = [&](const std::string& end) {
    return key.size() >= end.size() && key.compare(key.size() - end.size(), end.size(), end) == 0;
  };
  const bool matrix = shape.size() >= 2 && ends_with(".weight");
  const bool around_one = ends_with("running_var") || (shape.size() == 1 && ends_with(".weight"));
  const auto bound = matrix ? std::sqrt(
                                  3.0 * static_cast<double>(shape[0]) /
                                  static_cast<double>(c10::multiply_integers(shape)))
                            : 0.5;
  return reference_tensor(key, shape, (around_one ? 1 : 0) - bound, 2 * bound);
}

/// Fills every parameter and buffer of `module` by its key and shape, but for counts.
inline void reference_fill(const torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  const std::string count = "num_batches_tracked";
  for (const auto& item : state_dict(module)) {
    const auto& key = item.key();
    auto tensor = item.value();
    if (key.size() < count.size() || key.compare(key.size() - count.size(), count.size(), count)) {
      tensor.copy_(reference_value(key, tensor.sizes()));
    }
  }
}

}  // namespace vitrine
