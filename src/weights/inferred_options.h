#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vitrine/models/model_options.h"

#include "models/zoo.h"
#include "zoo_fit.h"

namespace vitrine::detail {

/// A model of a size that the zoo does not have, as the shapes of a checkpoint's tensors tell it.
struct InferredModel {
  const Entry* base = nullptr;      // the nearest of the zoo; null where the names are no family's
  ModelOptions options;             // all that the tensors and what is known beside them tell
  std::string differences;          // those not as the base has them: "embed_dim=96,depth=3"
  std::vector<std::string> untold;  // names of options that nothing tells; empty: the model is told
  bool heads_assumed = false;       // taken to be 64 wide, as most are
};

/// Infers the options of a model of one of the families from the shapes of its tensors by timm's
/// names, and from `known`, what is known beside them: heads, image size, windows. The base is
/// among those that `accepts` takes. Widths within the first block stand for those in all.
InferredModel infer_model(
    const TensorShapes& shapes,
    const ModelOptions& known,
    const std::function<bool(const Entry&)>& accepts);

}  // namespace vitrine::detail
