#pragma once

#include <optional>
#include <string>

#include "vitrine/image/preprocess.h"
#include "vitrine/models/model_options.h"

#include "zoo_fit.h"

namespace vitrine::detail {

/// How a library uses its models where nothing beside the checkpoint says more.
struct SourceDefaults {
  ModelOptions options;
  std::optional<PreprocessOptions> preprocess;
};

/// The library that a checkpoint comes from: the one whose names it bears, as `KeyMap::layout`
/// calls it, but for DINO's own files, which bear timm's and are PyTorch's, where timm's are
/// safetensors.
std::string source_of(
    const std::string& layout, const std::string& architecture, bool is_pytorch_file);

/// Those of a library, as `source_of` calls it, for the zoo's model `architecture`, whose own
/// preprocessing is `preprocess`.
SourceDefaults source_defaults(
    const std::string& source,
    const std::string& architecture,
    const PreprocessOptions& preprocess);

/// Options of a vision transformer that that library's tensors, of these shapes by timm's names,
/// tell by being there or not. Empty for libraries whose models are as the zoo's.
ModelOptions told_options(const std::string& layout, const TensorShapes& shapes);

/// Whether names and shapes of that library's tensors, with what `source_defaults` says, are enough
/// to tell the model.
bool tells_model(const std::string& layout);

/// Whether that library has the model `architecture` at all, as far as vitrine knows.
bool source_has(const std::string& layout, const std::string& architecture);

}  // namespace vitrine::detail
