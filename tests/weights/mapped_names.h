#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "weights/key_map.h"

namespace vitrine {

/// The map of tensors with these names, each of shape [6].
inline detail::KeyMap map_names(const std::vector<std::string>& names) {
  std::vector<detail::SourceTensor> tensors;
  for (const auto& name : names) {
    tensors.push_back({name, {6}});
  }
  return detail::map_keys(tensors, "file");
}

/// The tensor that is called `name` in a map.
inline const detail::MappedTensor& find(const detail::KeyMap& map, const std::string& name) {
  for (const auto& tensor : map.tensors) {
    if (tensor.name == name) {
      return tensor;
    }
  }
  throw std::out_of_range("no tensor " + name);
}

}  // namespace vitrine
