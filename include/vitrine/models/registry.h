#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"
#include "vitrine/models/model_options.h"

namespace vitrine {

// A model's name is timm's. Accepted as well are torchvision's names, Hugging Face's ids and timm's
// names with the tag of their weights, as far as src/models/zoo_aliases.cpp lists them.

/// A model of the zoo with random weights, in training mode. Throws UnknownNameError, with the
/// nearest names, when there is no such model or its family has no such option; c10::ValueError
/// when an option's value is out of range.
VITRINE_API std::shared_ptr<Classifier> create_model(
    const std::string& name, const ModelOptions& options = {});

/// Throws as `create_model` would for a size of image that such a model cannot take, naming the
/// nearest that it can; nothing is built.
VITRINE_API void check_image_size(const std::string& name, const ModelOptions& options);

/// The card of a model of the zoo, with timm's name; its preprocessing is that of the weights which
/// `name` stands for. Throws UnknownNameError.
VITRINE_API ModelCard find_card(const std::string& name);

/// Names of the zoo that match `pattern` (`*`: any characters, `?`: one), in the zoo's order.
VITRINE_API std::vector<std::string> list_models(const std::string& pattern = "*");

}  // namespace vitrine
