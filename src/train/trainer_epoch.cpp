#include "trainer_epoch.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

/// The first of the images at these places of `data`, and how many more there are.
std::string list_images(const ImageDataset& data, const std::vector<std::size_t>& places) {
  constexpr std::size_t kListedPlaces = 3;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(places.size(), kListedPlaces); ++i) {
    names.push_back(printable(sample_name(data.samples()[places[i] % data.samples().size()])));
  }
  const auto more = places.size() - names.size();
  return join(names, ", ") + (more == 0 ? "" : " and " + std::to_string(more) + " more");
}

}  // namespace

std::size_t Trainer::Epoch::begin() const {
  const auto found =
      std::find_if(plan->batches.begin(), plan->batches.end(), [this](const PlannedBatch& batch) {
        return batch.update >= progress.updates;
      });
  return static_cast<std::size_t>(found - plan->batches.begin());
}

void Trainer::Epoch::append_places(
    const PlannedBatch& batch, std::vector<std::size_t>& places) const {
  const auto first = plan->order.begin() + static_cast<std::ptrdiff_t>(batch.first);
  places.insert(places.end(), first, first + static_cast<std::ptrdiff_t>(batch.count));
}

void Trainer::Epoch::check(
    const Measured& found, int64_t step, const std::vector<std::size_t>& places) const {
  if (found.overflowed || (std::isfinite(found.loss) && std::isfinite(found.norm))) {
    return;
  }
  const bool in_loss = !std::isfinite(found.loss);
  throw Error(
      "training stopped in epoch " + std::to_string(number) + ", before update " +
      std::to_string(step) + ": the " + (in_loss ? "loss" : "norm of the gradients") + " is " +
      (std::isnan(in_loss ? found.loss : found.norm) ? "NaN" : "infinite") + " on " +
      list_images(data, places) +
      "; a lower learning rate, a longer warm-up or gradient clipping may help");
}

void Trainer::Epoch::count(const Measured& found, std::size_t images_of_update, double seconds) {
  ++progress.updates;
  progress.skipped_updates += found.overflowed ? 1 : 0;
  progress.seconds = seconds;
  if (std::isfinite(found.loss)) {
    progress.images += static_cast<int64_t>(images_of_update);
    progress.loss_sum += found.loss * static_cast<double>(images_of_update);
  }
}

StepReport Trainer::Epoch::report(
    const Measured& found,
    double lr,
    const detail::Pace& pace,
    std::chrono::duration<double> waited) const {
  return {
      number,
      progress.updates,
      updates(),
      found.loss,
      lr,
      pace.images_per_second(progress),
      progress,
      pace.share_waited(progress, waited),
      found.overflowed,
      images()};
}

}  // namespace vitrine
