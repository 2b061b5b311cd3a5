#include <ATen/Context.h>

#include <iostream>
#include <memory>
#include <string>

#include "vitrine/text.h"
#include "vitrine/train/training_run.h"

#include "commands.h"
#include "common_options.h"
#include "percent.h"
#include "progress.h"
#include "stop_signals.h"
#include "train_arguments.h"

namespace vitrine {
namespace {

std::string epoch_text(const EpochRecord& record, int64_t epochs, bool best) {
  return "epoch " + std::to_string(record.epoch) + "/" + std::to_string(epochs) + ": train loss " +
         fixed(record.train_loss, 4) + ", val loss " + fixed(record.val_loss, 4) + ", top-1 " +
         percent(record.val_top1) + ", top-5 " + percent(record.val_top5) + ", " +
         fixed(record.images_per_second, 0) + " images/s, " + duration_text(record.seconds) +
         (best ? ", best so far" : "");
}

/// Shows a run on standard error.
TrainEvents show(const Arguments& arguments, const TrainOptions& options) {
  auto bar = std::make_shared<std::unique_ptr<Progress>>();
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
  events.step = [&, bar](const StepReport& step) {
    if (!*bar) {
      *bar = std::make_unique<Progress>(
          std::cerr,
          standard_error_progress(arguments.flag("quiet")),
          "epoch " + std::to_string(step.epoch) + "/" + std::to_string(total_epochs(options)),
          step.batches,
          "updates");
    }
    (*bar)->update(step.batch, "loss " + fixed(step.loss, 4));
  };
  events.epoch = [&, bar](const EpochRecord& record, bool best) {
    bar->reset();
    note(arguments, epoch_text(record, total_epochs(options), best));
  };
  events.warning = [bar](const std::string& text) {
    bar->reset();
    std::cerr << "vitrine: warning: " << text << std::endl;
  };
  events.stop = [] { return stop_signal() != 0; };
  return events;
}

int run(const Arguments& arguments) {
  const auto device = open_device(arguments);
  const auto options = read_train_options(arguments).device(device);
  // On a GPU some convolutions would otherwise add up in an order that differs from run to run.
  at::globalContext().setDeterministicCuDNN(true);
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
      "config.json, metrics.jsonl, best.safetensors (ready for classify) and checkpoints/. The "
      "same\n"
      "command goes on with a run that was interrupted, and leaves a finished one alone.";
  spec.groups = train_groups();
  spec.examples = {
      "vitrine train digits --model vitrine_vit_patch4_32 --epochs 60 --hflip 0 --output runs/vit",
      "vitrine train flowers --weights vit_tiny.safetensors --reset-head --lr 1e-4 --epochs 10",
      "vitrine train --resume runs/vit"};
  return {spec, run};
}

}  // namespace vitrine
