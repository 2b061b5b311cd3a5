#include "vitrine/train/freeze.h"

#include <algorithm>

#include "vitrine/error.h"
#include "vitrine/layers/conv_block.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

bool inverts(const std::string& pattern) {
  return !pattern.empty() && pattern[0] == '!';
}

/// Whether `pattern` names `key`, whichever of the two it then asks for.
bool names_key(const std::string& pattern, const std::string& key) {
  return matches_wildcard(key, inverts(pattern) ? pattern.substr(1) : pattern);
}

}  // namespace

std::vector<std::string> freeze(
    torch::nn::Module& module, const std::vector<std::string>& patterns) {
  const auto parameters = module.named_parameters();
  const auto keys = parameters.keys();
  for (const auto& pattern : patterns) {
    if (std::none_of(keys.begin(), keys.end(), [&](const std::string& key) {
          return names_key(pattern, key);
        })) {
      throw UnknownNameError("parameter to freeze", pattern, keys);
    }
  }
  std::vector<std::string> frozen;
  for (const auto& key : keys) {
    if (std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
          return names_key(pattern, key) != inverts(pattern);
        })) {
      parameters[key].set_requires_grad(false);
      frozen.push_back(key);
    }
  }
  for (const auto& part : module.modules()) {
    if (auto* conv = part->as<ConvNormAct>()) {
      conv->train(conv->is_training());  // which leaves a frozen norm in evaluation
    }
  }
  return frozen;
}

}  // namespace vitrine
