#pragma once

#include <string>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"

namespace vitrine {

/// Whose files `export_model` writes.
enum class Library { Timm, Torchvision, HuggingFace };

/// "timm", "torchvision", "huggingface", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(Library library);
VITRINE_API Library parse_library(const std::string& name);

/// Writes a model for another library, which loads it strictly and then gives the same logits.
///
/// Timm and Torchvision: `path` becomes one safetensors file with that library's names; timm's has
/// the card in its metadata as well, and is what `save_model` writes.
/// HuggingFace: `path` becomes a folder with model.safetensors, config.json and
/// preprocessor_config.json for transformers' from_pretrained, with the card's labels and
/// preprocessing. Throws Error when the library has no such model (transformers has no DeiT III,
/// torchvision no MobileViT) or would answer otherwise at the model's image size (Swin's windows
/// that do not fill a map, odd maps of MobileViT V2), saying what stands against it.
VITRINE_API void export_model(
    const std::string& path, const Classifier& model, const ModelCard& card, Library library);

}  // namespace vitrine
