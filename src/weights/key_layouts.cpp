#include "key_layouts.h"

namespace vitrine::detail {

void append(std::vector<KeyRule>& rules, const std::vector<KeyRule>& more) {
  rules.insert(rules.end(), more.begin(), more.end());
}

const std::vector<std::string_view>& wrapper_prefixes() {
  static const std::vector<std::string_view> prefixes = {
      "module.", "_orig_mod.", "backbone.", "model."};
  return prefixes;
}

const std::vector<std::string_view>& model_prefixes() {
  static const std::vector<std::string_view> prefixes = {
      "vit.",
      "deit.",
      "dinov2.",
      "dinov2_with_registers.",
      "swin.",
      "swinv2.",
      "mobilevit.",
      "mobilevitv2."};
  return prefixes;
}

const std::vector<KeyLayout>& key_layouts() {
  static const std::vector<KeyLayout> layouts = [] {
    std::vector<KeyLayout> all;
    for (const auto family : {swin_layouts, mobilevit_layouts, vit_pytorch_layouts, vit_layouts}) {
      for (auto& layout : family()) {
        all.push_back(std::move(layout));
      }
    }
    return all;
  }();
  return layouts;
}

}  // namespace vitrine::detail
