#pragma once

#include <string>

#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine::detail {

/// What transformers' from_pretrained reads.
struct HuggingFaceFiles {
  StateDict tensors;
  std::string config;               // config.json
  std::string preprocessor_config;  // preprocessor_config.json
};

/// A model by transformers' names. Throws Error when transformers has no such model.
HuggingFaceFiles to_hugging_face(const Classifier& model, const ModelCard& card);

}  // namespace vitrine::detail
