#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>

#include "vitrine/export.h"

namespace vitrine {

/// When and how far a plateau lowers the learning rate, by timm's names.
struct PlateauOptions {
  /// Whether a lower metric is the better one, as of a loss.
  TORCH_ARG(bool, decreasing) = false;
  /// Epochs without improvement after which one more lowers the rate.
  TORCH_ARG(int64_t, patience_epochs) = 10;
  /// Factor of the rate, in (0, 1).
  TORCH_ARG(double, decay_rate) = 0.1;
  /// Rate that it is not lowered below.
  TORCH_ARG(double, min_lr) = 0.0;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const PlateauOptions& options);

/// What a plateau knows of the epochs so far.
struct PlateauState {
  double lr = 0;               // rate after warm-up
  std::optional<double> best;  // metric; nothing before the first epoch
  int64_t bad_epochs = 0;      // without improvement, since the best or the last lowering
};

/// Takes in the metric of an epoch after warm-up: an improvement by less than a ten-thousandth
/// counts as none. Equal to torch's ReduceLROnPlateau and timm's PlateauLRScheduler.
VITRINE_API void observe(PlateauState& state, const PlateauOptions& options, double metric);

}  // namespace vitrine
