#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "key_map.h"

namespace vitrine::detail {

/// One name of a layout and what becomes of it; patterns as `match_key` and `fill_key` have them.
struct KeyRule {
  std::string_view from;
  std::string_view to;  // empty where the tensor is dropped
  Derivation derivation = Derivation::Copy;
  int part = 0;   // where there are several sources: which; of Rows: which of the equal parts
  int parts = 3;  // how many there are
};

inline constexpr auto kConcat = Derivation::Concat;

/// Adds `more` to `rules`.
void append(std::vector<KeyRule>& rules, const std::vector<KeyRule>& more);

/// Whether a checkpoint has a tensor whose name matches a pattern.
using HasKey = std::function<bool(std::string_view)>;

/// The names that one library gives the tensors of one family.
struct KeyLayout {
  const char* name;
  bool (*fits)(const HasKey& has);
  std::vector<KeyRule> rules;  // after one that takes all of a tensor no other counts
  bool keeps_names = false;    // whether names without a rule are timm's already
  /// Why such a checkpoint cannot be used, as the end of a sentence; empty where it can.
  const char* refusal = "";
};

/// Prefixes that wrappers of a model put before all names.
const std::vector<std::string_view>& wrapper_prefixes();

/// Prefixes that Hugging Face's classifiers put before the names of the model inside.
const std::vector<std::string_view>& model_prefixes();

/// Every layout, the more telling ones first: the first that fits counts.
const std::vector<KeyLayout>& key_layouts();

// Those of each family.
std::vector<KeyLayout> vit_layouts();
std::vector<KeyLayout> vit_pytorch_layouts();
std::vector<KeyLayout> swin_layouts();
std::vector<KeyLayout> mobilevit_layouts();

}  // namespace vitrine::detail
