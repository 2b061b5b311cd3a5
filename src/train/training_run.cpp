#include "vitrine/train/training_run.h"

#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "vitrine/data/image_data.h"
#include "vitrine/data/sampler.h"
#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/epoch_plan.h"
#include "vitrine/train/evaluator.h"
#include "vitrine/train/report.h"
#include "vitrine/train/run_folder.h"
#include "vitrine/weights/model_file.h"

#include "train/bad_image_log.h"
#include "train/evaluation_json.h"
#include "train/run_config.h"
#include "train/run_model.h"
#include "train/run_report.h"
#include "weights/load_source.h"

namespace vitrine {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// Mistakes that a run's report shows.
constexpr int64_t kMistakes = 24;

/// Seconds since 1970.
double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// One run of `train`: what its steps share.
class Run {
 public:
  Run(const TrainOptions& options, const TrainEvents& events)
      : options_(options),
        events_(events),
        bad_images_(options.max_bad_images()),
        splits_(scan_image_splits(options.data(), options.val_fraction(), options.seed())) {}

  TrainResult execute();

 private:
  bool find_earlier_run(const RunFolder& folder);
  Trainer make_trainer() const;
  void restore(Trainer& trainer);
  bool run_epoch(Trainer& trainer, RunFolder& folder, int64_t epoch);
  std::optional<Evaluation> validate(Classifier& model);
  bool is_best(const EpochRecord& record) const;
  void keep(
      Trainer& trainer, RunFolder& folder, const EpochRecord& record, const Evaluation& validated);
  void check_weights(Trainer& trainer) const;
  void save(Trainer& trainer, const RunFolder& folder);
  template <typename Write>
  void to_disk(const Write& write);
  std::optional<Evaluation> read_best(const RunFolder& folder) const;
  void report(const RunFolder& folder, TrainOutcome outcome);
  ImageDataset train_data();
  TrainResult result(TrainOutcome outcome) const {
    return {outcome, state_.epoch, state_.progress.updates, state_.best_epoch, state_.best_top1};
  }
  LoaderOptions loader_options() const {
    return LoaderOptions()
        .batch_size(options_.batch_size())
        .workers(options_.workers())
        .pin_memory(options_.device().is_cuda());
  }
  void warn(const std::string& text) const {
    if (events_.warning) {
      events_.warning(text);
    }
  }
  void warn_of_bad_images() {
    for (const auto& message : bad_images_.take()) {
      warn(message);
    }
  }
  bool stopped() {
    warn_of_bad_images();
    return events_.stop && events_.stop();
  }

  const TrainOptions& options_;
  const TrainEvents& events_;
  detail::BadImageLog bad_images_;
  ImageSplits splits_;
  ModelCard card_;
  RunState state_;
  RunState saved_;  // that of the newest checkpoint
  std::optional<Checkpoint> checkpoint_;
  std::optional<Evaluation> best_;  // of the best epoch, where it is one of this call's
};

TrainResult Run::execute() {
  card_ = detail::make_card(options_, splits_.train.classes);
  RunFolder folder(options_.output());
  if (!options_.fresh() && !find_earlier_run(folder)) {
    // A run may have been killed between its last epoch and its report.
    if (!std::filesystem::exists(folder.report_path())) {
      report(folder, TrainOutcome::AlreadyFinished);
    }
    return result(TrainOutcome::AlreadyFinished);
  }
  // Made before anything of an earlier run is touched, since much can be wrong with it.
  auto trainer = make_trainer();
  if (options_.fresh()) {
    folder.read_config();  // which refuses a folder that holds something else
    folder.clear();
  }
  if (!checkpoint_) {
    folder.write_config(detail::make_run_config(options_, splits_));
  }
  restore(trainer);
  const auto lines = folder.truncate_metrics(state_.epoch);
  if (lines != state_.epoch) {
    warn(
        printable(folder.metrics_path()) + ": holds " + std::to_string(lines) + " of " +
        std::to_string(state_.epoch) + " epochs; it was damaged");
  }
  if (events_.start) {
    events_.start(
        {state_.epoch + 1,
         state_.progress.updates,
         static_cast<int64_t>(splits_.train.samples.size()),
         static_cast<int64_t>(splits_.val.samples.size())});
  }
  try {
    for (auto epoch = state_.epoch + 1; epoch <= total_epochs(options_); ++epoch) {
      if (!run_epoch(trainer, folder, epoch)) {
        report(folder, TrainOutcome::Stopped);
        return result(TrainOutcome::Stopped);
      }
    }
  } catch (const Error&) {
    warn_of_bad_images();
    throw;
  }
  report(folder, TrainOutcome::Finished);
  return result(TrainOutcome::Finished);
}

/// Reads the state of a run begun earlier, after comparing its options; false when it is finished.
/// A run without a checkpoint counts as none, so that its options may still be changed.
bool Run::find_earlier_run(const RunFolder& folder) {
  const auto config = folder.read_config();
  if (!config) {
    return true;
  }
  const auto warning = [this](const std::string& text) { warn(text); };
  checkpoint_ = read_newest_checkpoint(folder.checkpoints_path(), warning);
  if (!checkpoint_) {
    return true;
  }
  detail::compare_run_configs(
      folder.path(), *config, detail::make_run_config(options_, splits_), warning);
  state_ = saved_ = checkpoint_->state;
  return state_.epoch < total_epochs(options_);
}

Trainer Run::make_trainer() const {
  const auto images = examples_per_epoch(splits_.train.samples.size(), options_.aug_repeats());
  const auto updates =
      updates_per_epoch(images, options_.batch_size(), options_.grad_accum_steps());
  auto loss = options_.loss();
  if (options_.balance_classes()) {
    loss.class_weights(balanced_class_weights(detail::images_by_class(splits_.train)));
  }
  return {
      detail::make_model(options_, card_),
      TrainerOptions()
          .optimizer(options_.optimizer())
          .layer_decay(options_.layer_decay())
          .schedule(make_schedule(options_, updates))
          .loss(std::move(loss))
          .distillation(options_.distillation())
          .teacher(detail::open_teacher(options_, card_))
          .mixup(options_.mixup())
          .model_ema(options_.model_ema())
          .clip_grad(options_.clip_grad())
          .clip_mode(options_.clip_mode())
          .grad_accum_steps(options_.grad_accum_steps())
          .aug_repeats(options_.aug_repeats())
          .multi_scale(MultiScaleOptions()
                           .sides(options_.multi_scale())
                           .base_pixels(card_.preprocess.height() * card_.preprocess.width()))
          .seed(options_.seed())
          .loader(loader_options())
          .grad_checkpointing(options_.grad_checkpointing())
          .channels_last(options_.channels_last())
          .device(options_.device())
          .precision(options_.precision())};
}

void Run::restore(Trainer& trainer) {
  if (checkpoint_) {
    try {
      restore_module(*trainer.model(), checkpoint_->model);
      trainer.optimizer().load_state(checkpoint_->optimizer);
      if (trainer.average()) {
        restore_module(*trainer.average(), checkpoint_->ema);
      }
    } catch (const CheckpointError& error) {
      const auto path = checkpoint_path(options_.output() + "/checkpoints", state_);
      throw CheckpointError(printable(path) + ": " + error.what());
    }
    if (trainer.scaler() != nullptr && state_.scaler) {
      trainer.scaler()->load_state(*state_.scaler);
    }
    checkpoint_.reset();
  }
  if (options_.sched() == ScheduleKind::Plateau) {
    if (!state_.plateau) {
      state_.plateau = PlateauState{peak_lr(options_), std::nullopt, 0};
    }
    trainer.set_lr(state_.plateau->lr);
  }
}

/// Does `write`; where it cannot, the error says what is kept nevertheless.
template <typename Write>
void Run::to_disk(const Write& write) {
  try {
    write();
  } catch (const FileError& error) {
    const auto updates = saved_.progress.updates;
    throw FileError(
        std::string(error.what()) + "; the " + std::to_string(saved_.epoch) +
        " epochs completed before" +
        (updates == 0 ? "" : " and " + std::to_string(updates) + " updates of the next") +
        " are kept in " + printable(options_.output()));
  }
}

/// Trains what is left of an epoch, validates, and keeps what comes of it; false when stopped,
/// which keeps what is done.
bool Run::run_epoch(Trainer& trainer, RunFolder& folder, int64_t epoch) {
  const auto every = options_.save_every();
  const auto on_step = [&](const StepReport& report) {
    state_.step = trainer.updates();
    state_.progress = report.progress;
    if (events_.step) {
      events_.step(report);
    }
    const bool stop = stopped();
    if (stop || (every > 0 && state_.step % every == 0)) {
      check_weights(trainer);
      to_disk([&] { save(trainer, folder); });
    }
    return !stop;
  };
  const auto trained = trainer.train_epoch(train_data(), epoch, on_step, state_.progress);
  if (!trained) {
    return false;
  }
  const auto start = std::chrono::steady_clock::now();
  check_weights(trainer);
  auto validated = validate(trainer.result());
  const auto raw = validated && trainer.average() ? validate(*trainer.model()) : validated;
  if (!raw) {
    to_disk([&] { save(trainer, folder); });
    return false;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const EpochRecord record{
      epoch,
      trainer.updates(),
      trained->lr,
      trained->loss,
      validated->loss,
      validated->top1,
      validated->top5,
      trained->images_per_second,
      trained->data_wait,
      state_.progress.seconds + seconds.count(),
      trainer.average() ? std::optional(Scores{raw->loss, raw->top1, raw->top5}) : std::nullopt,
      trainer.scaler() != nullptr ? std::optional(trained->skipped_updates) : std::nullopt};
  to_disk([&] { keep(trainer, folder, record, *validated); });
  if (state_.best_epoch == epoch) {
    best_ = std::move(validated);
  }
  return true;
}

ImageDataset Run::train_data() {
  ImageDataset data(
      splits_.train.samples, TrainTransform(options_.augment(), card_.preprocess), options_.seed());
  std::vector<ImageTransform> scales;
  for (const auto side : options_.multi_scale()) {
    auto scaled = card_.preprocess;
    scales.emplace_back(TrainTransform(options_.augment(), scaled.height(side).width(side)));
  }
  data.set_scales(std::move(scales));
  if (options_.skip_bad_images()) {
    bad_images_.watch(data, BadImages::Replace);
  }
  return data;
}

std::optional<Evaluation> Run::validate(Classifier& model) {
  ImageDataset data(
      splits_.val.samples, [p = card_.preprocess](const torch::Tensor& image, at::Generator&) {
        return preprocess(image, p);
      });
  if (options_.skip_bad_images()) {
    bad_images_.watch(data, BadImages::LeaveOut);
  }
  const auto options = EvaluateOptions()
                           .loader(loader_options())
                           .device(options_.device())
                           .precision(options_.precision())
                           .mistakes(kMistakes);
  auto result = evaluate(model, data, options, [this](int64_t, int64_t) { return !stopped(); });
  if (result && result->images == 0) {
    throw Error(printable(options_.data()) + ": none of the images to validate can be read");
  }
  return result;
}

bool Run::is_best(const EpochRecord& record) const {
  if (state_.best_epoch == 0) {
    return true;
  }
  return options_.eval_metric() == EvalMetric::Loss ? record.val_loss < state_.best_loss
                                                    : record.val_top1 > state_.best_top1;
}

/// Puts a completed epoch on the disk. The checkpoint comes last: only it makes the epoch complete,
/// and what was written before it is written again, the same, when the run is killed in between.
void Run::keep(
    Trainer& trainer, RunFolder& folder, const EpochRecord& record, const Evaluation& validated) {
  const bool best = is_best(record);
  state_.epoch = record.epoch;
  state_.step = record.step;
  state_.progress = {};
  if (best) {
    state_.best_epoch = record.epoch;
    state_.best_top1 = record.val_top1;
    state_.best_loss = record.val_loss;
  }
  if (state_.plateau && record.epoch > options_.warmup_epochs()) {
    const bool by_loss = options_.eval_metric() == EvalMetric::Loss;
    observe(*state_.plateau, make_plateau(options_), by_loss ? record.val_loss : record.val_top1);
    trainer.set_lr(state_.plateau->lr);
  }
  OrderedJson line = {
      {"epoch", record.epoch},
      {"step", record.step},
      {"lr", record.lr},
      {"train_loss", record.train_loss},
      {"val_loss", record.val_loss},
      {"val_top1", record.val_top1},
      {"val_top5", record.val_top5},
      {"images_per_second", record.images_per_second},
      {"data_wait", record.data_wait},
      {"seconds", record.seconds},
      {"time", unix_time()}};
  if (record.raw) {
    line["raw_val_loss"] = record.raw->loss;
    line["raw_val_top1"] = record.raw->top1;
    line["raw_val_top5"] = record.raw->top5;
  }
  if (record.skipped_updates) {
    line["skipped_updates"] = *record.skipped_updates;
  }
  folder.append_metrics(line.dump());
  if (best) {
    card_.provenance["epoch"] = std::to_string(record.epoch);
    card_.provenance["val_top1"] = OrderedJson(record.val_top1).dump();
    save_model(folder.best_path(), trainer.result(), card_);
    const auto evaluation = detail::evaluation_to_json(validated, record.epoch);
    write_file_atomically(
        folder.best_evaluation_path(), [&](File& file) { file.write(evaluation); });
  }
  save(trainer, folder);
  if (events_.epoch) {
    events_.epoch(record, best);
  }
}

/// Throws Error where the weights are no longer finite: such a model is not to be kept. Seen only
/// before something is written, as looking at all of them takes as long as a part of an update.
void Run::check_weights(Trainer& trainer) const {
  for (const auto& item : state_dict(trainer.result())) {
    if (!detail::all_finite(item.value())) {
      throw Error(
          "training stopped after update " + std::to_string(trainer.updates()) + ": '" +
          item.key() +
          "' is no longer finite; what was kept before is left as it is; a lower "
          "learning rate, a longer warm-up or gradient clipping may help");
    }
  }
}

/// Writes a checkpoint of where the run stands, whose weights were checked.
void Run::save(Trainer& trainer, const RunFolder& folder) {
  if (trainer.scaler() != nullptr) {
    state_.scaler = trainer.scaler()->state();
  }
  write_checkpoint(
      checkpoint_path(folder.checkpoints_path(), state_),
      {state_dict(*trainer.model()),
       trainer.optimizer().state(),
       state_,
       trainer.average() ? state_dict(*trainer.average()) : StateDict()});
  saved_ = state_;
  remove_other_checkpoints(folder.checkpoints_path(), state_, options_.keep());
}

/// How the best model of an earlier call did, if that was kept.
std::optional<Evaluation> Run::read_best(const RunFolder& folder) const {
  if (!std::filesystem::exists(folder.best_evaluation_path())) {
    return std::nullopt;
  }
  const auto bytes = read_file(folder.best_evaluation_path());
  return detail::evaluation_from_json(
      {bytes.begin(), bytes.end()},
      state_.best_epoch,
      static_cast<int64_t>(splits_.val.classes.size()),
      splits_.val.samples.size());
}

/// Writes report.html. Where nothing tells how the best model of an earlier call did, it is judged
/// again, but not in a run that was stopped, which has to end soon.
void Run::report(const RunFolder& folder, TrainOutcome outcome) {
  if (state_.epoch == 0) {
    return;
  }
  if (!best_) {
    best_ = read_best(folder);
  }
  if (!best_ && outcome != TrainOutcome::Stopped) {
    const auto best = load_model(folder.best_path()).model;
    best->to(options_.device());
    best_ = validate(*best);
  }
  write_report(
      folder.report_path(),
      detail::run_page(
          options_,
          splits_,
          read_card(folder.best_path()).value_or(card_),
          folder.metrics(),
          state_.best_epoch,
          best_,
          train_data()));
}

}  // namespace

TrainResult train(const TrainOptions& options, const TrainEvents& events) {
  check_options(options);
  return Run(options, events).execute();
}

}  // namespace vitrine
