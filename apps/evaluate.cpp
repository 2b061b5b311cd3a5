#include <filesystem>
#include <iostream>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/data/image_folder.h"
#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/train/evaluator.h"

#include "commands.h"
#include "common_options.h"
#include "evaluation_report.h"
#include "progress.h"
#include "stop_signals.h"

namespace vitrine {
namespace {

/// The validation part of `root`, or `root` itself where it has none.
std::string find_part(const std::string& root, const std::string& part) {
  const auto folder = std::filesystem::path(root) / part;
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder.string() : root;
}

int run(const Arguments& arguments) {
  check_model_options(arguments);
  const auto device = open_device(arguments);
  const auto root = find_part(arguments.operands()[0], arguments.text("split"));
  auto folder = scan_image_folder(root);
  const auto loaded = open_classifier(arguments);
  folder = match_classes(std::move(folder), loaded.card.labels, loaded.model->num_classes(), root);
  loaded.model->to(device);
  ImageDataset data(
      folder.samples, [p = loaded.card.preprocess](const torch::Tensor& image, at::Generator&) {
        return preprocess(image, p);
      });
  const auto options = EvaluateOptions()
                           .loader(LoaderOptions()
                                       .batch_size(arguments.whole("batch-size"))
                                       .workers(arguments.whole("workers")))
                           .device(device)
                           .mistakes(arguments.whole("mistakes"));
  std::mutex mutex;
  std::vector<std::string> failures;  // told and not yet written
  data.set_bad_image_handler([&](const ImageSample&, const std::string& message) {
    const std::lock_guard<std::mutex> lock(mutex);
    failures.push_back(message);
  });
  catch_stop_signals();
  Progress progress(
      std::cerr,
      standard_error_progress(arguments.flag("quiet")),
      "evaluate",
      static_cast<int64_t>(folder.samples.size()),
      "images");
  bool failed = false;
  const auto result = evaluate(*loaded.model, data, options, [&](int64_t done, int64_t) {
    const std::lock_guard<std::mutex> lock(mutex);
    for (const auto& failure : std::exchange(failures, {})) {
      progress.line("vitrine: " + failure);
      failed = true;
    }
    progress.update(done);
    return stop_signal() == 0;
  });
  progress.hide();
  if (!result) {
    return 128 + stop_signal();
  }
  if (result->images == 0) {
    throw Error(printable(root) + ": none of the images can be read");
  }
  if (arguments.text("format") == "json") {
    print_json(std::cout, *result, loaded.card.labels, folder.samples);
  } else {
    print_table(std::cout, *result, loaded.card.labels, folder.samples);
  }
  return failed ? 1 : 0;
}

}  // namespace

Command evaluate_command() {
  CommandSpec spec;
  spec.name = "evaluate";
  spec.summary = "measure a model on a folder of images";
  spec.operands = "DATA";
  spec.least_operands = 1;
  spec.most_operands = 1;
  spec.description =
      "DATA is a folder with val/ (see --split) or with one folder a class. Prints top-1 and "
      "top-5,\n"
      "the loss, scores by class, the confusion matrix and the worst mistakes.";
  spec.groups = {
      model_group(),
      {"Evaluation",
       {choice_option("split", {"val", "train"}, "part of DATA, where it has parts", "val"),
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
