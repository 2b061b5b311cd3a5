#include "vitrine/train/training_run.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/data/image_data.h"
#include "vitrine/data/sampler.h"
#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/train/epoch_plan.h"
#include "vitrine/train/evaluator.h"
#include "vitrine/train/report.h"
#include "vitrine/weights/model_file.h"

#include "train/bad_image_log.h"
#include "train/run_keeper.h"
#include "train/run_model.h"
#include "train/run_report.h"

namespace vitrine {
namespace {

/// Mistakes that a run's report shows.
constexpr int64_t kMistakes = 24;

/// Throws Error where the run folder lies among class folders, of which it would be taken for one
/// when the run goes on.
void check_output(const TrainOptions& options, const ImageSplits& splits) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto real = [&](const fs::path& path) {
    return (fs::weakly_canonical(fs::absolute(path), ignored) / "").string();
  };
  const fs::path data = options.data();
  const bool has_parts = fs::is_directory(data / "train", ignored);
  const auto output = real(options.output());
  for (const auto& root :
       has_parts ? std::vector{data / "train", data / "val"} : std::vector{data}) {
    const auto place = real(root);
    // What begins with a dot is no class.
    if (splits.class_folders && output.rfind(place, 0) == 0 && output[place.size()] != '.') {
      throw Error(
          printable(options.output()) + ": lies among the class folders of " +
          printable(root.string()) + "; choose an output folder elsewhere");
    }
  }
}

ImageSplits scan(const TrainOptions& options) {
  auto splits = scan_image_splits(options.data(), options.val_fraction(), options.seed());
  check_output(options, splits);
  return splits;
}

/// One run of `train`: what its steps share.
class Run {
 public:
  Run(const TrainOptions& options, const TrainEvents& events)
      : options_(options),
        events_(events),
        bad_images_(options.max_bad_images(), options.data()),
        splits_(scan(options)),
        card_(detail::make_card(options, splits_.train.classes)),
        keeper_(options, events, splits_, card_) {}

  TrainResult execute();

 private:
  Trainer make_trainer() const;
  bool run_epoch(Trainer& trainer, int64_t epoch);
  std::optional<Evaluation> validate(Classifier& model);
  void report(TrainOutcome outcome);
  ImageDataset train_data();
  TrainResult result(TrainOutcome outcome) const {
    const auto& state = keeper_.state();
    return {outcome, state.epoch, state.progress.updates, state.best_epoch, state.best_top1};
  }
  LoaderOptions loader_options() const {
    return LoaderOptions()
        .batch_size(options_.batch_size())
        .workers(options_.workers())
        .pin_memory(options_.device().is_cuda());
  }
  void warn_of_bad_images() {
    const auto messages = bad_images_.take();
    if (!messages.empty()) {
      keeper_.note_bad_images(bad_images_.names());
    }
    for (const auto& message : messages) {
      if (events_.warning) {
        events_.warning(message);
      }
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
  detail::RunKeeper keeper_;
  std::optional<Evaluation> best_;  // of the best epoch, where it is one of this call's
};

TrainResult Run::execute() {
  if (!options_.fresh() && !keeper_.find_earlier_run()) {
    // A run may have been killed between its last epoch and its report.
    if (!std::filesystem::exists(keeper_.folder().report_path())) {
      report(TrainOutcome::AlreadyFinished);
    }
    return result(TrainOutcome::AlreadyFinished);
  }
  // Made before anything of an earlier run is touched, since much can be wrong with it.
  auto trainer = make_trainer();
  keeper_.begin(trainer);
  const auto& state = keeper_.state();
  bad_images_.restore(state.bad_images);
  if (events_.start) {
    events_.start(
        {state.epoch + 1,
         state.progress.updates,
         static_cast<int64_t>(splits_.train.samples.size()),
         static_cast<int64_t>(splits_.val.samples.size())});
  }
  try {
    for (auto epoch = state.epoch + 1; epoch <= total_epochs(options_); ++epoch) {
      if (!run_epoch(trainer, epoch)) {
        report(TrainOutcome::Stopped);
        return result(TrainOutcome::Stopped);
      }
    }
  } catch (const Error&) {
    warn_of_bad_images();
    throw;
  }
  report(TrainOutcome::Finished);
  return result(TrainOutcome::Finished);
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
      detail::make_model(options_, card_, /*restored=*/keeper_.goes_on()),
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

/// Trains what is left of an epoch, validates, and keeps what comes of it; false when stopped,
/// which keeps what is done.
bool Run::run_epoch(Trainer& trainer, int64_t epoch) {
  const auto& state = keeper_.state();
  const auto every = options_.save_every();
  const auto on_step = [&](const StepReport& report) {
    keeper_.advance(trainer, report.progress);
    if (events_.step) {
      events_.step(report);
    }
    const bool stop = stopped();
    if (stop || (every > 0 && state.step % every == 0)) {
      detail::check_weights(trainer);
      keeper_.save(trainer);
    }
    return !stop;
  };
  const auto trained = trainer.train_epoch(train_data(), epoch, on_step, state.progress);
  if (!trained) {
    return false;
  }
  const auto start = std::chrono::steady_clock::now();
  detail::check_weights(trainer);
  auto validated = validate(trainer.result());
  const auto raw = validated && trainer.average() ? validate(*trainer.model()) : validated;
  if (!raw) {
    keeper_.save(trainer);
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
      state.progress.seconds + seconds.count(),
      trainer.average() ? std::optional(Scores{raw->loss, raw->top1, raw->top5}) : std::nullopt,
      trainer.scaler() != nullptr ? std::optional(trained->skipped_updates) : std::nullopt};
  keeper_.keep(trainer, record, *validated);
  if (state.best_epoch == epoch) {
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

/// Writes report.html. Where nothing tells how the best model of an earlier call did, it is judged
/// again, but not in a run that was stopped, which has to end soon.
void Run::report(TrainOutcome outcome) {
  const auto& folder = keeper_.folder();
  const auto& state = keeper_.state();
  if (state.epoch == 0) {
    return;
  }
  if (!best_) {
    best_ = keeper_.best_evaluation();
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
          keeper_.best_card(),
          folder.metrics(),
          state.best_epoch,
          best_,
          train_data()));
}

}  // namespace

TrainResult train(const TrainOptions& options, const TrainEvents& events) {
  check_options(options);
  return Run(options, events).execute();
}

}  // namespace vitrine
