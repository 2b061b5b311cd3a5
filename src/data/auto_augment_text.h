#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/auto_augment_ops.h"

namespace vitrine::detail {

/// One operation of a policy: how likely it is carried out, and at which level.
struct AugmentStep {
  const AugmentOp* op;
  double probability;
  double level;
};

/// What an image undergoes: of some choices a few are drawn and their steps carried out in order.
struct AugmentPolicy {
  std::vector<std::vector<AugmentStep>> choices;
  /// Of each choice, which then is drawn once at most; empty: all alike, and as often as it
  /// happens.
  std::vector<double> weights;
  int64_t count = 1;  // choices drawn for an image
  /// Deviation of the levels; infinite: they are drawn evenly from 0 to the level.
  double level_std = 0;
  double highest_level = 10;
  /// Levels are drawn from 0 to this number less one instead, where it is not 0.
  int64_t bins = 0;
  /// How images are turned and moved, where the policy itself says.
  std::optional<WarpStyle> style;
};

/// The policy that `text` describes (`AutoAugment`). Throws std::invalid_argument, whose text says
/// what was expected instead.
AugmentPolicy parse_augment_policy(const std::string& text);

}  // namespace vitrine::detail
