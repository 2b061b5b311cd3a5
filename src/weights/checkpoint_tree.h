#pragma once

#include <string>
#include <vector>

#include "pth_file.h"

namespace vitrine::detail {

/// A tensor with the key that a state dict has for it.
struct NamedTensor {
  std::string name;
  TensorRef tensor;
};

/// An entry of a state dict that is no tensor, or one that vitrine does not read.
struct SkippedEntry {
  std::string name;
  bool is_tensor = false;
  std::string reason;  // the end of a sentence that begins with the name: "is an int", "is sparse"
};

/// A state dict that was found in a checkpoint.
struct CheckpointTree {
  std::string path;                   // its key, such as "model" or "state_dict"; empty: the top
  std::vector<NamedTensor> tensors;   // in the order of the file; each name once, the last counts
  std::vector<SkippedEntry> skipped;  // in the order of the file; of keys that are strings
};

/// Finds the state dict of `file`.
///
/// Training scripts wrap it. With an empty `key`, the first of state_dict_ema, model_ema,
/// ema_state_dict, ema, teacher, state_dict, model, model_state_dict, student, net and module that
/// holds tensors is entered, again and again; averaged weights (EMA) come first, as in timm.
/// Otherwise `key` is the one to enter, or keys joined by dots. A list of (name, tensor) pairs
/// counts as a dict; of a module that was saved whole, parameters and buffers are walked as its
/// state_dict() would. Prefixes of names stay.
///
/// Throws CheckpointError when there is no state dict there, saying what is there instead, and when
/// one of its tensors is unsound.
CheckpointTree find_state_dict(const PthFile& file, const std::string& key = "");

}  // namespace vitrine::detail
