#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/weights/safetensors.h"

namespace vitrine {

/// A tensor of a checkpoint, not read.
struct InspectedTensor {
  std::string name;  // the file's own
  std::vector<std::int64_t> shape;
  std::string dtype;  // as safetensors call it, such as "F32"
  std::uint64_t bytes = 0;
  bool needed = true;  // false for tables that a model derives, poolers and the like
  /// timm's names of what is made of it; none where it is not needed, or not known.
  std::vector<std::string> timm_names;
};

/// Something in a checkpoint beside the weights.
struct InspectedValue {
  std::string name;
  std::string description;  // "is the int 3", "is an object of argparse.Namespace"
};

/// What a checkpoint holds.
struct Inspection {
  std::string kind;          // "safetensors", "PyTorch zip" or "PyTorch legacy"
  std::uint64_t bytes = 0;   // of the file
  std::string layout;        // whose names the tensors bear, "torchvision ViT"; empty where unknown
  std::string state_dict;    // its place in a PyTorch file, such as "model"; empty: the top
  std::string architecture;  // timm's name of the model; empty where it cannot be told
  std::string options;       // in which the model differs from that one: "embed_dim=96,depth=3"
  std::string told_by;       // what says so: "its card", "config.json beside it", "its tensors"
  std::string
      problem;  // where it cannot be told, why, as the end of a sentence that begins with the file
  std::vector<InspectedTensor> tensors;  // in the order of the file
  Metadata metadata;                     // of a safetensors file
  std::vector<InspectedValue> values;    // of a PyTorch file
};

/// Looks into a checkpoint without executing anything in it or reading its weights; of Swin V2's
/// own files the coordinates are read, which tell the windows. Of a PyTorch file `checkpoint_key`
/// says which dict is the state dict; empty for the usual ones. Throws FileError and
/// CheckpointError as `load_model` does on a file that is no sound checkpoint.
VITRINE_API Inspection
inspect_checkpoint(const std::string& path, const std::string& checkpoint_key = "");

}  // namespace vitrine
