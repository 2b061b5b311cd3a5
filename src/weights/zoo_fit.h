#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/models/model_options.h"

#include "models/zoo.h"
#include "telling_tensors.h"

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

/// The first of the tensors that tell a model with `options` which the file has not, or has though
/// the model has none; nothing where they fit.
std::optional<TellingTensor> find_misfit(const FamilyOptions& options, const TensorShapes& shapes);

/// The model of the zoo that most of the tensors are like by name and, where names do not decide,
/// by shape; null where none has a name that tells a model.
const Entry* find_nearest(const TensorShapes& shapes);

/// How the file differs from what is expected: "'cls_token' is [1, 1, 8], here [1, 1, 9]".
std::string misfit_text(const TellingTensor& expected, const TensorShapes& shapes);

}  // namespace vitrine::detail
