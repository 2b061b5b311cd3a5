#pragma once

#include <cstdint>

namespace vitrine {

/// How much of an epoch's training is done.
struct EpochProgress {
  int64_t updates = 0;          // done
  int64_t images = 0;           // trained on
  double loss_sum = 0;          // of their losses
  double seconds = 0;           // spent
  int64_t skipped_updates = 0;  // of `updates`, left out since a gradient was not finite

  /// Mean loss of the images so far; 0 before the first.
  double mean_loss() const { return images == 0 ? 0 : loss_sum / static_cast<double>(images); }
};

}  // namespace vitrine
