#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

#include "vitrine/data/image_data.h"
#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"
#include "vitrine/train/report.h"
#include "vitrine/train/run_checkpoints.h"

#include "commands.h"
#include "common_options.h"
#include "evaluation.h"
#include "evaluation_report.h"
#include "inputs.h"
#include "open_model.h"
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

void check_usage(const Arguments& arguments) {
  check_model_options(arguments);
  const auto models = arguments.all("weights").size();
  const bool best = arguments.given("best");
  const bool average = arguments.flag("average") || best;
  if (best && (models > 1 || arguments.flag("average"))) {
    throw UsageError(
        "evaluate: --best averages checkpoints of the one run whose folder --weights is; it "
        "excludes --average");
  }
  if (average && !best && models < 2) {
    throw UsageError("evaluate: --average takes two or more --weights, got one");
  }
  if (arguments.given("report") && models > 1 && !average) {
    throw UsageError("evaluate: --report is of one model; give one --weights, or --average");
  }
  for (const auto* option : {"output", "force"}) {
    if (arguments.given(option) && !average) {
      throw UsageError(
          std::string("evaluate: --") + option +
          " is for the model that --average or --best makes");
    }
  }
  const std::filesystem::path output = arguments.text("output");
  if (arguments.given("output") && output.extension() != ".safetensors") {
    throw UsageError(
        "evaluate: --output is '" + path_text(output.string()) +
        "', expected a name that ends in .safetensors, which is what is written");
  }
  std::error_code ignored;
  if (std::filesystem::exists(output, ignored) && !arguments.flag("force")) {
    throw Error(path_text(output.string()) + ": is there already; --force replaces it");
  }
}

/// Refuses to write a page over a file that is none.
void check_page(const std::string& path) {
  const auto extension = std::filesystem::path(path).extension();
  if (extension != ".html" && extension != ".htm") {
    throw UsageError(
        "evaluate: --report is '" + path_text(path) + "', expected a name that ends in .html");
  }
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    constexpr std::size_t kMostBytes = std::size_t{1} << 30;
    const auto bytes = read_file(path, kMostBytes);
    const std::string start(
        bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(15, bytes.end() - bytes.begin()));
    if (start != "<!doctype html>" && start != "<!DOCTYPE html>") {
      throw Error(path_text(path) + ": is there already, and no page of HTML");
    }
  }
}

void write_page(const Arguments& arguments, const EvaluatedModel& model, const std::string& data) {
  Report report;
  report.title = model.card.architecture;
  report.subtitle = model.name + ", judged on " + data;
  report.labels = model.card.labels;
  report.evaluation = model.evaluation;
  report.samples = model.samples;
  report.facts = {
      {"Evaluation",
       {{"weights", model.name},
        {"images", data},
        {"mirrored images too", arguments.flag("tta") ? "yes" : "no"}}},
      model_facts(model.card)};
  write_report(arguments.text("report"), report);
}

int run_evaluate(const Arguments& arguments) {
  check_usage(arguments);
  if (arguments.given("report")) {
    check_page(arguments.text("report"));
  }
  const auto device = open_device(arguments);
  const auto& data = arguments.operands()[0];
  Judgement judgement{data, find_part(arguments), device};
  catch_stop_signals();
  const bool best = arguments.given("best");
  const auto paths = best ? best_checkpoints(arguments.text("weights"), arguments.whole("best"))
                          : arguments.all("weights");
  std::vector<EvaluatedModel> models;
  const auto judge = [&](const LoadedModel& loaded, const std::string& name) {
    auto model = evaluate_model(arguments, loaded, name, judgement);
    if (model) {
      models.push_back(std::move(*model));
    }
    return model.has_value();
  };
  if (best || arguments.flag("average")) {
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
    write_page(arguments, models.front(), data);
  }
  const bool json = arguments.text("format") == "json";
  if (models.size() > 1) {
    (json ? print_json_lines : print_comparison)(std::cout, models);
  } else {
    const auto& model = models.front();
    (json ? print_evaluation_json : print_evaluation)(
        std::cout, model.evaluation, model.card.labels, model.samples);
  }
  return judgement.bad_images.any() ? 1 : 0;
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
  spec.summary = "measure models on labelled images";
  spec.operands = "DATA";
  spec.least_operands = 1;
  spec.most_operands = 1;
  spec.description =
      "DATA is as for 'train': its part to judge by is taken (see --split), all of it where it has "
      "no\n"
      "parts. Prints top-1 and top-5, the loss, scores by class, the confusion matrix and the "
      "worst\n"
      "mistakes; of several models, a line each.";
  spec.groups = {
      weights_group(),
      {"Evaluation",
       {choice_option("split", {"val", "train"}, "part of DATA, where it has parts", "val"),
        val_fraction_option(),
        split_seed_option(),
        flag_option("tta", "judge by the mean probabilities of an image and its mirror image"),
        flag_option("average", "judge the one model whose weights are the mean of all --weights"),
        whole_option(
            "best",
            "judge the mean of the N best checkpoints that the run in the folder --weights keeps",
            "",
            1),
        text_option("output", "FILE", "where the model that --average or --best makes is kept"),
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
      "--output mean.safetensors",
      "vitrine evaluate digits --weights runs/vit --best 5 --output mean.safetensors"};
  return {spec, run_evaluate};
}

}  // namespace vitrine
