#include "vitrine/weights/state_dict.h"

#include <torch/nn/module.h>

#include "derived_key.h"

namespace vitrine {

bool is_derived_key(const std::string& key) {
  return detail::is_derived(key);
}

StateDict state_dict(const torch::nn::Module& module) {
  StateDict result;
  for (const auto& parameter : module.named_parameters()) {
    result.insert(parameter.key(), parameter.value());
  }
  for (const auto& buffer : module.named_buffers()) {
    if (!is_derived_key(buffer.key())) {
      result.insert(buffer.key(), buffer.value());
    }
  }
  return result;
}

}  // namespace vitrine
