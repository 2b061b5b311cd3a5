#include "vitrine/train/layer_decay.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vitrine {
namespace {

/// Place of the layer that a parameter belongs to; that of the head comes after all.
std::size_t layer_of(const std::string& key, const std::vector<std::vector<std::string>>& layers) {
  const auto layer = std::find_if(layers.begin(), layers.end(), [&](const auto& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
      return key.compare(0, prefix.size(), prefix) == 0;
    });
  });
  return layer - layers.begin();
}

}  // namespace

std::map<std::string, double> layer_lr_scales(const Classifier& model, double layer_decay) {
  TORCH_CHECK_VALUE(
      layer_decay > 0 && layer_decay <= 1,
      "layer_decay has to be above 0 and at most 1, but got ",
      layer_decay);
  const auto layers = model.layer_prefixes();
  std::map<std::string, std::size_t> of_key;
  std::size_t last = 0;  // without a head, the last block's
  for (const auto& key : model.named_parameters().keys()) {
    of_key[key] = layer_of(key, layers);
    last = std::max(last, of_key[key]);
  }
  std::map<std::string, double> scales;
  for (const auto& [key, layer] : of_key) {
    scales[key] = std::pow(layer_decay, static_cast<double>(last - layer));
  }
  return scales;
}

}  // namespace vitrine
