#pragma once

#include <optional>
#include <string>

#include "vitrine/models/model_card.h"

#include "weights_file.h"

namespace vitrine::detail {

/// The card of the model in a file that carries none, and where it comes from.
struct Recognised {
  ModelCard card;
  std::string differences;  // options of a model that is none of the zoo: "embed_dim=96,depth=3"
  std::string told_by;      // "its tensors", "config.json beside it"; empty where a name was given
  std::string assumed;      // what nothing tells: "heads taken to be 64 wide"; mostly empty
};

/// Recognises the model in a file that carries no card.
///
/// Which model of the zoo it is (unless `name` says so), its image's size and channels come
/// from names and shapes of the tensors; where these fit several, from the library whose names they
/// are and from what config.json beside the file says. So do preprocessing and labels. Of a model
/// that is none of the zoo, the tensors and config.json tell the options as well (`infer_model`).
/// Throws CheckpointError when they do not, or when several models fit that differ in more than
/// their name, and names what is missing, the nearest, or these.
Recognised recognise(const WeightsFile& file, const std::optional<std::string>& name = {});

}  // namespace vitrine::detail
