#include "vitrine/train/plateau.h"

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

bool improves(double metric, const std::optional<double>& best, bool decreasing) {
  constexpr double kThreshold = 1e-4;
  if (!best) {
    return std::isfinite(metric);
  }
  return decreasing ? metric < *best * (1 - kThreshold) : metric > *best * (1 + kThreshold);
}

}  // namespace

void check_options(const PlateauOptions& options) {
  TORCH_CHECK_VALUE(
      options.patience_epochs() >= 0,
      "patience_epochs has to be at least 0, but got ",
      options.patience_epochs());
  TORCH_CHECK_VALUE(
      options.decay_rate() > 0 && options.decay_rate() < 1,
      "decay_rate of a plateau has to be above 0 and below 1, but got ",
      options.decay_rate());
}

void observe(PlateauState& state, const PlateauOptions& options, double metric) {
  constexpr double kLeastChange = 1e-8;
  if (improves(metric, state.best, options.decreasing())) {
    state.best = metric;
    state.bad_epochs = 0;
  } else {
    ++state.bad_epochs;
  }
  if (state.bad_epochs > options.patience_epochs()) {
    const double lowered = std::max(state.lr * options.decay_rate(), options.min_lr());
    if (state.lr - lowered > kLeastChange) {
      state.lr = lowered;
    }
    state.bad_epochs = 0;
  }
}

}  // namespace vitrine
