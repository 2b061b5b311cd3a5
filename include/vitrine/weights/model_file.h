#pragma once

#include <memory>
#include <optional>
#include <string>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"
#include "vitrine/weights/load.h"

namespace vitrine {

/// A model with the card that its file carries.
struct LoadedModel {
  std::shared_ptr<Classifier> model;
  ModelCard card;
  LoadReport report;
  /// What nothing tells of a model that is none of the zoo, and was taken as most are: "heads taken
  /// to be 64 wide". Empty where there is no such thing, or the caller's options say it.
  std::string assumed;
};

/// What the caller knows better than the file.
struct ModelFileOptions {
  /// Name in the zoo; needed where the file has no card and its tensors fit several models.
  std::optional<std::string> architecture;
  /// Options that win over the card's, such as another image size.
  ModelOptions options;
  /// Of a PyTorch file, the dict that holds the weights, or dicts joined by dots; empty for the
  /// usual ones.
  std::string checkpoint_key;
  /// Keep a new, random head (for `options.num_classes`) and ignore the file's.
  bool reset_head = false;
};

/// Writes `model` and `card` as one safetensors file with timm's tensor names and the card as JSON
/// in the metadata, atomically and durably.
VITRINE_API void save_model(
    const std::string& path, const Classifier& model, const ModelCard& card);

/// Opens such a file, or a checkpoint of any layout that `load_weights` takes, or a folder with one
/// called model.safetensors or pytorch_model.bin; the model comes in
/// evaluation mode, on the CPU. Throws CheckpointError.
VITRINE_API LoadedModel load_model(const std::string& path, const ModelFileOptions& options = {});

/// How the tensors of a file fit the model that `load_model` would open, in full. Throws as that
/// does where the file cannot be read or the model not be told.
VITRINE_API FitReport compare_model(const std::string& path, const ModelFileOptions& options = {});

/// The card that `load_model` goes by: the file's own where it has one (of the architecture that
/// `options` name, if any); else one made of the zoo's, of what the tensors' names and shapes tell,
/// and of timm's or Hugging Face's config.json beside the file. Throws CheckpointError when the
/// model cannot be told.
VITRINE_API ModelCard
find_model_card(const std::string& path, const ModelFileOptions& options = {});

/// The card that such a file holds, or nothing where it has none; no tensor is read.
VITRINE_API std::optional<ModelCard> read_card(const std::string& path);

/// A card as JSON text, and back; throws CheckpointError on text that is no card.
VITRINE_API std::string card_to_json(const ModelCard& card);
VITRINE_API ModelCard card_from_json(const std::string& text);

}  // namespace vitrine
