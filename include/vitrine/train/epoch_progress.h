#pragma once

#include <cstdint>

namespace vitrine {

/// How much of an epoch's training is done.
struct EpochProgress {
  int64_t updates = 0;  // done
  int64_t images = 0;   // trained on, those of a loss that was not finite left out
  double loss_sum = 0;  // of their losses
  double seconds = 0;   // spent
  /// Of `updates`, left out since the loss or a gradient was not finite.
  int64_t skipped_updates = 0;

  /// Mean loss of the images so far; 0 before the first update, NaN where no loss was finite.
  double mean_loss() const {
    return updates == 0 && images == 0 ? 0 : loss_sum / static_cast<double>(images);
  }
};

}  // namespace vitrine
