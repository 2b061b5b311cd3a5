#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/train/report.h"

#include "commands.h"
#include "common_options.h"
#include "evaluation.h"
#include "evaluation_report.h"
#include "stop_signals.h"

namespace vitrine {
namespace {

constexpr std::size_t kLongestName = 4096;

/// The validation part of `root`, or `root` itself where it has none.
std::string find_part(const std::string& root, const std::string& part) {
  const auto folder = std::filesystem::path(root) / part;
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder.string() : root;
}

void check_usage(const Arguments& arguments) {
  check_model_options(arguments);
  const auto models = arguments.all("weights").size();
  const bool average = arguments.flag("average");
  if (average && models < 2) {
    throw UsageError("evaluate: --average takes two or more --weights, got one");
  }
  if (arguments.given("report") && models > 1 && !average) {
    throw UsageError("evaluate: --report is of one model; give one --weights, or --average");
  }
  for (const auto* option : {"output", "force"}) {
    if (arguments.given(option) && !average) {
      throw UsageError(
          std::string("evaluate: --") + option + " is for the model that --average makes");
    }
  }
  const std::filesystem::path output = arguments.text("output");
  if (arguments.given("output") && output.extension() != ".safetensors") {
    throw UsageError(
        "evaluate: --output is '" + printable(output.string(), kLongestName) +
        "', expected a name that ends in .safetensors, which is what is written");
  }
  std::error_code ignored;
  if (std::filesystem::exists(output, ignored) && !arguments.flag("force")) {
    throw Error(
        printable(output.string(), kLongestName) + ": is there already; --force replaces it");
  }
}

void write_page(const Arguments& arguments, const EvaluatedModel& model, const std::string& root) {
  Report report;
  report.title = model.card.architecture;
  report.subtitle = model.name + ", judged on " + root;
  report.labels = model.card.labels;
  report.evaluation = model.evaluation;
  report.samples = model.samples;
  report.facts = {
      {"Evaluation",
       {{"weights", model.name},
        {"images", root},
        {"mirrored images too", arguments.flag("tta") ? "yes" : "no"}}},
      model_facts(model.card)};
  write_report(arguments.text("report"), report);
}

int run(const Arguments& arguments) {
  check_usage(arguments);
  const auto device = open_device(arguments);
  const auto root = find_part(arguments.operands()[0], arguments.text("split"));
  Judgement judgement{root, scan_image_folder(root), device};
  catch_stop_signals();
  const auto paths = arguments.all("weights");
  std::vector<EvaluatedModel> models;
  const auto judge = [&](const LoadedModel& loaded, const std::string& name) {
    auto model = evaluate_model(arguments, loaded, name, judgement);
    if (model) {
      models.push_back(std::move(*model));
    }
    return model.has_value();
  };
  if (arguments.flag("average")) {
    const auto loaded = average_models(arguments, paths);
    if (!judge(loaded, "average of " + join(paths, ", "))) {
      return 128 + stop_signal();
    }
    if (arguments.given("output")) {
      save_model(arguments.text("output"), *loaded.model, loaded.card);
    }
  } else {
    for (const auto& path : paths) {
      if (!judge(open_classifier(arguments, path), path)) {
        return 128 + stop_signal();
      }
    }
  }
  if (arguments.given("report")) {
    write_page(arguments, models.front(), root);
  }
  const bool json = arguments.text("format") == "json";
  if (models.size() > 1) {
    (json ? print_json_lines : print_comparison)(std::cout, models);
  } else {
    const auto& model = models.front();
    (json ? print_json : print_table)(
        std::cout, model.evaluation, model.card.labels, model.samples);
  }
  return judgement.failures.empty() ? 0 : 1;
}

OptionGroup weights_group() {
  auto group = model_group();
  group.options[0].help += "; given again, each is judged";
  return group;
}

}  // namespace

Command evaluate_command() {
  CommandSpec spec;
  spec.name = "evaluate";
  spec.summary = "measure models on a folder of images";
  spec.operands = "DATA";
  spec.least_operands = 1;
  spec.most_operands = 1;
  spec.description =
      "DATA is a folder with val/ (see --split) or with one folder a class. Prints top-1 and "
      "top-5,\n"
      "the loss, scores by class, the confusion matrix and the worst mistakes; of several models, "
      "a\n"
      "line each.";
  spec.groups = {
      weights_group(),
      {"Evaluation",
       {choice_option("split", {"val", "train"}, "part of DATA, where it has parts", "val"),
        flag_option("tta", "judge by the mean probabilities of an image and its mirror image"),
        flag_option("average", "judge the one model whose weights are the mean of all --weights"),
        text_option("output", "FILE", "where the model that --average makes is kept"),
        flag_option("force", "replace --output where it is there already"),
        whole_option("mistakes", "worst mistakes to list", "20", 0),
        choice_option("format", {"table", "json"}, "how the result is printed", "table"),
        text_option("report", "FILE", "write the result as a page of HTML too, with pictures")}},
      preprocessing_group(),
      running_group("32")};
  spec.examples = {
      "vitrine evaluate digits --weights runs/vit/best.safetensors --report vit.html",
      "vitrine evaluate digits --weights a.safetensors --weights b.safetensors --tta",
      "vitrine evaluate digits --weights a.safetensors --weights b.safetensors --average "
      "--output mean.safetensors"};
  return {spec, run};
}

}  // namespace vitrine
