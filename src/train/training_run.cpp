#include "vitrine/train/training_run.h"

#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/text.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/evaluator.h"
#include "vitrine/train/freeze.h"
#include "vitrine/train/report.h"
#include "vitrine/train/run_folder.h"
#include "vitrine/version.h"
#include "vitrine/weights/model_file.h"

#include "train/random_scope.h"
#include "train/run_config.h"
#include "train/run_report.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// In a run's report.
constexpr int64_t kMistakes = 24;
constexpr int64_t kTrainingPictures = 24;

/// Seconds since 1970.
double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The card that the trained model will carry.
ModelCard make_card(const TrainOptions& options, const std::vector<std::string>& classes) {
  auto card = starting_card(options);
  card.preprocess = options.preprocess().value_or(card.preprocess);
  // A MobileViT takes images of any size; the others are built for one.
  if (card.family != "mobilevit") {
    card.options.img_size(card.preprocess.height(), card.preprocess.width());
  }
  for (const auto& [name, value] : options.model_options().values()) {
    card.options.set(name, value);
  }
  card.options.num_classes(static_cast<int64_t>(classes.size()));
  card.labels = classes;
  card.provenance = {{"trained_with", std::string("vitrine ") + version()}};
  if (!options.weights().empty()) {
    card.provenance["started_from"] =
        printable(std::filesystem::path(options.weights()).filename().string());
  }
  return card;
}

std::shared_ptr<Classifier> make_model(const TrainOptions& options, const ModelCard& card) {
  detail::RandomScope random(torch::kCPU);
  random.seed(mix_seed(options.seed(), /*a=*/0, /*b=*/2));
  auto model = create_model(card.architecture, card.options);
  if (!options.weights().empty()) {
    load_weights(
        *model,
        options.weights(),
        LoadOptions().reset_head(options.reset_head()).origin(starting_card(options).options));
  }
  freeze(*model, options.freeze());
  return model;
}

/// One run of `train`: what its steps share.
class Run {
 public:
  Run(const TrainOptions& options, const TrainEvents& events)
      : options_(options), events_(events), splits_(scan_image_splits(options.data())) {}

  TrainResult execute();

 private:
  bool find_earlier_run(const RunFolder& folder);
  Trainer make_trainer() const;
  void restore(Trainer& trainer);
  bool run_epoch(Trainer& trainer, RunFolder& folder, int64_t epoch);
  std::optional<Evaluation> validate(Classifier& model) const;
  void keep(Trainer& trainer, RunFolder& folder, const EpochRecord& record);
  void report(const RunFolder& folder, TrainOutcome outcome);
  ImageDataset train_data() const;
  TrainResult result(TrainOutcome outcome) const {
    return {outcome, state_.epoch, state_.best_epoch, state_.best_top1};
  }
  LoaderOptions loader_options() const {
    return LoaderOptions().batch_size(options_.batch_size()).workers(options_.workers());
  }
  void warn(const std::string& text) const {
    if (events_.warning) {
      events_.warning(text);
    }
  }
  bool stopped() const { return events_.stop && events_.stop(); }

  const TrainOptions& options_;
  const TrainEvents& events_;
  ImageSplits splits_;
  ModelCard card_;
  RunState state_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Evaluation> best_;  // of the best epoch, where it is one of this call's
};

TrainResult Run::execute() {
  card_ = make_card(options_, splits_.train.classes);
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
        state_.epoch + 1,
        static_cast<int64_t>(splits_.train.samples.size()),
        static_cast<int64_t>(splits_.val.samples.size()));
  }
  for (auto epoch = state_.epoch + 1; epoch <= options_.epochs(); ++epoch) {
    if (!run_epoch(trainer, folder, epoch)) {
      report(folder, TrainOutcome::Stopped);
      return result(TrainOutcome::Stopped);
    }
  }
  report(folder, TrainOutcome::Finished);
  return result(TrainOutcome::Finished);
}

/// Reads the state of a run begun earlier, after comparing its options; false when it is finished.
/// A run without a completed epoch counts as none, so that its options may still be changed.
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
  state_ = checkpoint_->state;
  return state_.epoch < options_.epochs();
}

Trainer Run::make_trainer() const {
  const auto updates = updates_per_epoch(splits_.train.samples.size(), options_.batch_size());
  return {
      make_model(options_, card_),
      TrainerOptions()
          .optimizer(options_.optimizer())
          .layer_decay(options_.layer_decay())
          .schedule(make_schedule(options_, updates))
          .smoothing(options_.smoothing())
          .clip_grad(options_.clip_grad())
          .seed(options_.seed())
          .loader(loader_options())
          .device(options_.device())};
}

void Run::restore(Trainer& trainer) {
  if (checkpoint_) {
    restore_module(*trainer.model(), checkpoint_->model);
    trainer.optimizer().load_state(checkpoint_->optimizer);
    checkpoint_.reset();
  }
}

bool Run::run_epoch(Trainer& trainer, RunFolder& folder, int64_t epoch) {
  const auto start = std::chrono::steady_clock::now();
  const auto trained = trainer.train_epoch(train_data(), epoch, [this](const StepReport& report) {
    if (events_.step) {
      events_.step(report);
    }
    return !stopped();
  });
  auto validated = trained ? validate(*trainer.model()) : std::nullopt;
  if (!validated) {
    return false;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const EpochRecord record{
      epoch,
      trainer.optimizer().steps(),
      trained->lr,
      trained->loss,
      validated->loss,
      validated->top1,
      validated->top5,
      trained->images_per_second,
      trained->data_wait,
      seconds.count()};
  try {
    keep(trainer, folder, record);
  } catch (const FileError& error) {
    throw FileError(
        std::string(error.what()) + "; the " + std::to_string(epoch - 1) +
        " epochs completed before are kept in " + printable(folder.path()));
  }
  if (state_.best_epoch == epoch) {
    best_ = std::move(validated);
  }
  return true;
}

ImageDataset Run::train_data() const {
  return {
      splits_.train.samples, TrainTransform(options_.augment(), card_.preprocess), options_.seed()};
}

std::optional<Evaluation> Run::validate(Classifier& model) const {
  const ImageDataset data(
      splits_.val.samples, [p = card_.preprocess](const torch::Tensor& image, at::Generator&) {
        return preprocess(image, p);
      });
  const auto options =
      EvaluateOptions().loader(loader_options()).device(options_.device()).mistakes(kMistakes);
  return evaluate(model, data, options, [this](int64_t, int64_t) { return !stopped(); });
}

/// Puts a completed epoch on the disk. The checkpoint comes last: only it makes the epoch complete,
/// and what was written before it is written again, the same, when the run is killed in between.
void Run::keep(Trainer& trainer, RunFolder& folder, const EpochRecord& record) {
  const bool best = state_.best_epoch == 0 || record.val_top1 > state_.best_top1;
  state_.epoch = record.epoch;
  state_.step = record.step;
  if (best) {
    state_.best_epoch = record.epoch;
    state_.best_top1 = record.val_top1;
  }
  const Json line = {
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
  folder.append_metrics(line.dump());
  if (best) {
    card_.provenance["epoch"] = std::to_string(record.epoch);
    card_.provenance["val_top1"] = Json(record.val_top1).dump();
    save_model(folder.best_path(), *trainer.model(), card_);
  }
  write_checkpoint(
      checkpoint_path(folder.checkpoints_path(), record.epoch),
      {state_dict(*trainer.model()), trainer.optimizer().state(), state_});
  remove_old_checkpoints(folder.checkpoints_path(), record.epoch);
  if (events_.epoch) {
    events_.epoch(record, best);
  }
}

/// Writes report.html. The best model of an earlier call is judged again, but not in a run that was
/// stopped, which has to end soon.
void Run::report(const RunFolder& folder, TrainOutcome outcome) {
  if (state_.epoch == 0) {
    return;
  }
  if (!best_ && outcome != TrainOutcome::Stopped) {
    const auto best = load_model(folder.best_path()).model;
    best->to(options_.device());
    best_ = validate(*best);
  }
  Report page;
  page.title = card_.architecture;
  page.subtitle = "trained on " + options_.data();
  page.epochs = detail::parse_epochs(folder.metrics());
  page.labels = card_.labels;
  page.evaluation = best_;
  page.samples = splits_.val.samples;
  page.training_pictures = detail::sample_pictures(
      train_data(), card_.preprocess, splits_.train.classes, kTrainingPictures);
  page.facts = detail::run_facts(options_, splits_);
  page.facts.push_back(model_facts(read_card(folder.best_path()).value_or(card_)));
  write_report(folder.report_path(), page);
}

}  // namespace

ModelCard starting_card(const TrainOptions& options) {
  if (options.weights().empty()) {
    if (options.model().empty()) {
      throw Error("there is no model to train: name one");
    }
    return find_card(options.model());
  }
  ModelFileOptions file;
  if (!options.model().empty()) {
    file.architecture = options.model();
  }
  return find_model_card(options.weights(), file);
}

TrainResult train(const TrainOptions& options, const TrainEvents& events) {
  check_options(options);
  return Run(options, events).execute();
}

}  // namespace vitrine
