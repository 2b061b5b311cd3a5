#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/zoo.h"

namespace vitrine::detail {

/// A tensor that tells one model of the zoo from another.
struct TellingTensor {
  std::string name;
  std::vector<std::int64_t> shape;  // -1: any size; empty: a file of this model has no such tensor
};

/// Enough tensors of a model with `options` that a file which has them all is of that model but for
/// its head's classes, its image's channels and, of a ViT, its image's size.
std::vector<TellingTensor> telling_tensors(const FamilyOptions& options);

}  // namespace vitrine::detail
