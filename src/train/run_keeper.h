#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/data/image_set.h"
#include "vitrine/models/model_card.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/evaluator.h"
#include "vitrine/train/run_folder.h"
#include "vitrine/train/trainer.h"
#include "vitrine/train/training_run.h"

namespace vitrine::detail {

/// Throws Error where the weights are no longer finite: such a model is not to be kept. Seen only
/// before something is written, as looking at all of them takes as long as a part of an update.
void check_weights(Trainer& trainer);

/// Where a run stands, and what its folder keeps of it: from where it can go on, its metrics and
/// its best model. What cannot be written is a FileError that says what is kept nevertheless.
class RunKeeper {
 public:
  /// Opens the folder. The best model will carry `card`; the other arguments must outlive this.
  RunKeeper(
      const TrainOptions& options,
      const TrainEvents& events,
      const ImageSplits& splits,
      ModelCard card);

  const RunFolder& folder() const { return folder_; }
  const RunState& state() const { return state_; }

  /// Reads the state of a run begun earlier, after comparing its options; false when it is
  /// finished. A run without a checkpoint counts as none, so that its options may still be changed.
  bool find_earlier_run();
  /// Whether there is an earlier run whose checkpoint `begin` puts the trainer to.
  bool goes_on() const { return checkpoint_.has_value(); }
  /// Begins the run in the folder with `trainer`, or puts `trainer` where the earlier run stands.
  void begin(Trainer& trainer);

  /// Notes an update just done.
  void advance(const Trainer& trainer, const EpochProgress& progress);
  /// Notes the images that were skipped so far.
  void note_bad_images(std::vector<std::string> names) { state_.bad_images = std::move(names); }
  /// Writes a checkpoint of where the run stands, whose weights were checked.
  void save(Trainer& trainer);
  /// Puts a completed epoch on the disk, whose weights were checked, and tells of it.
  void keep(Trainer& trainer, const EpochRecord& record, const Evaluation& validated);

  /// The card of the best model.
  ModelCard best_card() const;
  /// How the best model of an earlier call did, if that was kept.
  std::optional<Evaluation> best_evaluation() const;

 private:
  void refuse_to_lose_epochs() const;
  void refuse_to_remove_sources() const;
  void restore(Trainer& trainer);
  bool is_best(const EpochRecord& record) const;
  void complete(Trainer& trainer, const EpochRecord& record, bool best);
  void write_best(Trainer& trainer, const EpochRecord& record, const Evaluation& validated);
  void write_state(Trainer& trainer);
  template <typename Write>
  void to_disk(const Write& write) const;
  void warn(const std::string& text) const;

  const TrainOptions& options_;
  const TrainEvents& events_;
  const ImageSplits& splits_;
  ModelCard card_;
  RunFolder folder_;
  RunState state_;
  RunState saved_;  // that of the newest checkpoint
  std::optional<Checkpoint> checkpoint_;
};

}  // namespace vitrine::detail
