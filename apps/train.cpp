#include <ATen/Context.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "vitrine/text.h"
#include "vitrine/train/metrics.h"
#include "vitrine/train/training_run.h"

#include "commands.h"
#include "common_options.h"
#include "percent.h"
#include "progress.h"
#include "stop_signals.h"
#include "train_arguments.h"

namespace vitrine {
namespace {

/// The least share of an epoch's time, spent waiting for images, that is worth a word.
constexpr double kTellingWait = 0.1;
/// How often a line tells of an epoch where there is no terminal to draw a bar on.
constexpr std::chrono::milliseconds kLineInterval{60'000};

std::string epoch_text(const EpochRecord& record, int64_t epochs, double left, bool best) {
  return "epoch " + std::to_string(record.epoch) + "/" + std::to_string(epochs) + ": train loss " +
         fixed(record.train_loss, 4) + ", val loss " + fixed(record.val_loss, 4) + ", top-1 " +
         percent(record.val_top1) + ", top-5 " + percent(record.val_top5) + ", lr " +
         short_number(record.lr) + ", " + fixed(record.images_per_second, 0) + " images/s" +
         (record.data_wait >= kTellingWait
              ? " (" + fixed(100 * record.data_wait, 0) + " % of the time waiting for images)"
              : "") +
         (record.skipped_updates.value_or(0) > 0
              ? ", " + std::to_string(*record.skipped_updates) + " updates skipped"
              : "") +
         ", " + duration_text(record.seconds) +
         (record.epoch < epochs ? ", " + duration_text(left) + " left" : "") +
         (best ? ", best so far" : "");
}

std::string step_text(const StepReport& step) {
  return "loss " + fixed(step.progress.mean_loss(), 4) + ", waiting " +
         fixed(100 * step.data_wait, 0) + " %, lr " + short_number(step.lr);
}

/// What `show` keeps between two events.
struct Shown {
  std::unique_ptr<Progress> bar;
  RunningMean seconds;  // of an epoch
};

/// Shows a run on standard error.
TrainEvents show(const Arguments& arguments, const TrainOptions& options) {
  auto shown = std::make_shared<Shown>();
  TrainEvents events;
  events.start = [&](const TrainStart& start) {
    const bool begins = start.epoch == 1 && start.updates == 0;
    note(
        arguments,
        printable(options.output()) + ": " + (begins ? "beginning with" : "going on with") +
            " epoch " + std::to_string(start.epoch) + " of " +
            std::to_string(total_epochs(options)) +
            (start.updates == 0 ? "" : " after its update " + std::to_string(start.updates)) +
            ", " + std::to_string(start.train_images) + " images to train on, " +
            std::to_string(start.val_images) + " to validate");
  };
  events.step = [&, shown](const StepReport& step) {
    if (!shown->bar) {
      shown->bar = std::make_unique<Progress>(
          std::cerr,
          standard_error_progress(arguments.flag("quiet"), kLineInterval),
          "epoch " + std::to_string(step.epoch) + "/" + std::to_string(total_epochs(options)),
          step.images,
          "images",
          /*before=*/step.progress.images);
    }
    shown->bar->update(step.progress.images, step_text(step));
  };
  events.epoch = [&, shown](const EpochRecord& record, bool best) {
    shown->bar.reset();
    shown->seconds.add(record.seconds, 1);
    const auto epochs = total_epochs(options);
    const auto left = static_cast<double>(epochs - record.epoch) * shown->seconds.value();
    note(arguments, epoch_text(record, epochs, left, best));
  };
  events.warning = [shown](const std::string& text) {
    shown->bar.reset();
    std::cerr << "vitrine: warning: " << text << std::endl;
  };
  events.stop = [] { return stop_signal() != 0; };
  return events;
}

/// Has a GPU add up in an order that does not differ from run to run: in the convolutions, and with
/// `everywhere` in all operators, of which one that cannot is an error.
void be_deterministic(bool everywhere) {
  auto& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  if (everywhere) {
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);  // as cuBLAS wants it for this
    context.setDeterministicAlgorithms(true, /*warn_only=*/false);
    context.setDeterministicFillUninitializedMemory(false);
  }
}

int run_train(const Arguments& arguments) {
  const auto device = open_device(arguments);
  const auto options = read_train_options(arguments).device(device);
  be_deterministic(device.is_cuda() && wants_determinism(arguments));
  if (options.warmup_epochs() >= options.epochs() && !options.warmup_prefix()) {
    note(arguments, "--warmup-epochs is not less than --epochs: --lr is never reached");
  }
  catch_stop_signals();
  const auto result = train(options, show(arguments, options));
  const auto output = printable(options.output());
  if (result.outcome == TrainOutcome::Stopped) {
    note(
        arguments,
        output + ": stopped; " + std::to_string(result.epochs) + " completed epochs" +
            (result.updates == 0
                 ? ""
                 : " and " + std::to_string(result.updates) + " updates of the next") +
            " are kept, and 'vitrine train --resume " + output + "' goes on from there");
    return 128 + stop_signal();
  }
  if (result.outcome == TrainOutcome::AlreadyFinished) {
    note(arguments, output + ": this run is finished already; nothing was changed");
  }
  std::cout << output << "/best.safetensors: top-1 " << percent(result.best_top1) << " after epoch "
            << result.best_epoch << " of " << total_epochs(options) << '\n';
  return 0;
}

}  // namespace

Command train_command() {
  CommandSpec spec;
  spec.name = "train";
  spec.summary = "train or fine-tune a model on labelled images";
  spec.operands = "DATA";
  spec.most_operands = 1;
  spec.description =
      "DATA is a folder with train/ and val/, each with one folder a class; class folders alone; a "
      "list,\n"
      "train.csv or train.jsonl beside val.csv or val.jsonl, or one file with the columns file, "
      "label and\n"
      "perhaps split; CIFAR-10 or CIFAR-100 in their binary version; MNIST's IDX files. Its "
      "content "
      "tells.\n"
      "Where nothing in it is for validation, --val-fraction sets a part apart. The run folder "
      "gets\n"
      "config.json, metrics.jsonl (as .csv and for TensorBoard too), best.safetensors (ready for\n"
      "classify), checkpoints/ and report.html. The same command with the same --output goes on\n"
      "with a run that was interrupted, and leaves a finished one alone.";
  spec.groups = train_groups();
  spec.examples = {
      "vitrine train digits --model vitrine_vit_patch4_32 --epochs 60 --hflip 0 --output runs/vit",
      "vitrine train flowers --weights vit_tiny.safetensors --reset-head --lr 1e-4 --epochs 10",
      "vitrine train --resume runs/vit"};
  return {spec, run_train};
}

}  // namespace vitrine
