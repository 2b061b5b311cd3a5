#include "derived_key.h"

namespace vitrine::detail {

bool is_derived(std::string_view key) {
  const auto name = key.substr(key.rfind('.') + 1);  // all of it where there is no dot
  return name == "relative_position_index" || name == "attn_mask" ||
         name == "relative_coords_table" || name == "sincos_pos_embed";
}

}  // namespace vitrine::detail
