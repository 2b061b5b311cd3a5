#include <iostream>
#include <string>
#include <utility>

#include "vitrine/data/image_data.h"
#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/train/evaluator.h"

#include "bad_images.h"
#include "commands.h"
#include "common_options.h"
#include "evaluation_report.h"
#include "progress.h"
#include "stop_signals.h"

namespace vitrine {
namespace {

/// The part of DATA that is meant.
ImageSet find_part(const Arguments& arguments) {
  const auto& path = arguments.operands()[0];
  const auto part = arguments.text("split");
  if (!arguments.given("val-fraction")) {
    return scan_image_part(path, part);
  }
  auto splits = find_splits(arguments, path);
  return part == "val" ? std::move(splits.val) : std::move(splits.train);
}

int run(const Arguments& arguments) {
  check_model_options(arguments);
  const auto device = open_device(arguments);
  const auto& path = arguments.operands()[0];
  auto set = find_part(arguments);
  const auto loaded = open_classifier(arguments);
  set = match_classes(std::move(set), loaded.card.labels, loaded.model->num_classes(), path);
  loaded.model->to(device);
  ImageDataset data(
      set.samples, [p = loaded.card.preprocess](const torch::Tensor& image, at::Generator&) {
        return preprocess(image, p);
      });
  const auto options = EvaluateOptions()
                           .loader(LoaderOptions()
                                       .batch_size(arguments.whole("batch-size"))
                                       .workers(arguments.whole("workers"))
                                       .pin_memory(device.is_cuda()))
                           .device(device)
                           .mistakes(arguments.whole("mistakes"));
  BadImageLines bad_images;
  bad_images.watch(data);
  catch_stop_signals();
  Progress progress(
      std::cerr,
      standard_error_progress(arguments.flag("quiet")),
      "evaluate",
      static_cast<int64_t>(set.samples.size()),
      "images");
  const auto result = evaluate(*loaded.model, data, options, [&](int64_t done, int64_t) {
    bad_images.write(progress);
    progress.update(done);
    return stop_signal() == 0;
  });
  progress.hide();
  if (!result) {
    return 128 + stop_signal();
  }
  if (result->images == 0) {
    throw Error(printable(path) + ": none of the images can be read");
  }
  if (arguments.text("format") == "json") {
    print_json(std::cout, *result, loaded.card.labels, set.samples);
  } else {
    print_table(std::cout, *result, loaded.card.labels, set.samples);
  }
  return bad_images.any() ? 1 : 0;
}

}  // namespace

Command evaluate_command() {
  CommandSpec spec;
  spec.name = "evaluate";
  spec.summary = "measure a model on labelled images";
  spec.operands = "DATA";
  spec.least_operands = 1;
  spec.most_operands = 1;
  spec.description =
      "DATA is as for 'train': its part to judge by is taken (see --split), all of it where it has "
      "no\n"
      "parts. Prints top-1 and top-5, the loss, scores by class, the confusion matrix and the "
      "worst\n"
      "mistakes.";
  spec.groups = {
      model_group(),
      {"Evaluation",
       {choice_option("split", {"val", "train"}, "part of DATA, where it has parts", "val"),
        val_fraction_option(),
        split_seed_option(),
        whole_option("mistakes", "worst mistakes to list", "20", 0),
        choice_option("format", {"table", "json"}, "how the result is printed", "table")}},
      preprocessing_group(),
      running_group("32")};
  spec.examples = {
      "vitrine evaluate digits --weights runs/vit/best.safetensors",
      "vitrine evaluate digits --weights runs/vit/best.safetensors --format json"};
  return {spec, run};
}

}  // namespace vitrine
