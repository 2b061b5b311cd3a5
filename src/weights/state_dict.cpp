#include "vitrine/weights/state_dict.h"

#include <torch/nn/module.h>

namespace vitrine {

bool is_derived_key(const std::string& key) {
  const auto name = key.substr(key.rfind('.') + 1);  // all of it where there is no dot
  return name == "relative_position_index" || name == "attn_mask" ||
         name == "relative_coords_table" || name == "sincos_pos_embed";
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
