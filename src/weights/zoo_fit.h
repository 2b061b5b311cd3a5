#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vitrine/models/model_options.h"

#include "models/zoo.h"

namespace vitrine::detail {

/// The shapes of a checkpoint's tensors by timm's names.
using TensorShapes = std::map<std::string, std::vector<std::int64_t>>;

/// A model of the zoo that the tensors fit.
struct Candidate {
  const Entry* entry = nullptr;
  ModelOptions options;  // what the file's model has otherwise
  int distance = 0;      // 0 where it has the entry's head and image size
};

/// Every model of the zoo that the tensors fit, in the zoo's order; vision transformers with the
/// options `told`.
std::vector<Candidate> find_candidates(const TensorShapes& shapes, const ModelOptions& told = {});

/// Where nothing fits, what comes nearest, as the end of a sentence: "; the nearest is ...".
std::string nearest_text(const TensorShapes& shapes);

}  // namespace vitrine::detail
