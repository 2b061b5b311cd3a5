#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/models/registry.h"
#include "vitrine/text.h"
#include "vitrine/version.h"

#include "commands.h"
#include "common_options.h"
#include "json_text.h"
#include "measurement.h"
#include "percent.h"
#include "table.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

/// One of each family.
const std::vector<std::string> kModels = {
    "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "mobilevit_xs"};

struct Subject {
  std::string name;  // as given
  ModelCard card;
  ModelOptions options;
};

/// The models that are meant. Throws where one cannot be as the options say, before any is built.
std::vector<Subject> find_subjects(const Arguments& arguments) {
  std::vector<Subject> subjects;
  for (const auto& name : arguments.operands().empty() ? kModels : arguments.operands()) {
    auto card = find_card(name);
    auto options = model_options(arguments, card.family);
    check_image_size(card, options, "");
    card.preprocess = preprocess_options(arguments, card.preprocess);
    subjects.push_back({name, std::move(card), std::move(options)});
  }
  return subjects;
}

/// To the microsecond: a clock tells no more.
double rounded(double value) {
  return std::round(value * 1e3) / 1e3;
}

double median(const std::vector<double>& values) {
  return rounded(quantile(values, 0.5));
}

ordered_json describe(
    const Subject& subject, const MeasurementOptions& options, const Measurement& found) {
  const auto& input = subject.card.preprocess;
  ordered_json result{
      {"model", subject.name},
      {"mode", options.training ? "train" : "inference"},
      {"batch_size", options.batch_size},
      {"image_size", {input.height(), input.width()}},
      {"precision", to_string(options.precision)},
      {"device", options.device.str()},
      {"threads", at::get_num_threads()},
      {"step_ms",
       {{"median", median(found.step_ms)}, {"p90", rounded(quantile(found.step_ms, 0.9))}}}};
  if (options.training) {
    result["forward_ms"] = median(found.forward_ms);
    result["backward_ms"] = median(found.backward_ms);
    result["optimizer_ms"] = median(found.optimizer_ms);
  }
  result["images_per_second"] =
      rounded(1e3 * static_cast<double>(options.batch_size) / quantile(found.step_ms, 0.5));
  result["peak_memory_mb"] =
      found.peak_memory_mb ? ordered_json(rounded(*found.peak_memory_mb)) : ordered_json();
  result["versions"] = {{"vitrine", version()}, {"libtorch", libtorch_version()}};
  return result;
}

std::string cell(const ordered_json& value, int digits) {
  return value.is_null() ? "-" : fixed(value.get<double>(), digits);
}

void print_table(const std::vector<ordered_json>& results) {
  const auto& first = results.front();
  const bool training = first.contains("forward_ms");
  std::cout << first["mode"].get<std::string>() << ", batches of " << first["batch_size"] << ", "
            << first["precision"].get<std::string>() << " on " << first["device"].get<std::string>()
            << ", threads: " << first["threads"] << "; vitrine " << version() << ", LibTorch "
            << libtorch_version() << "\n\n";
  std::vector<std::vector<std::string>> rows{{"model", "input", "step ms", "p90 ms"}};
  if (training) {
    rows[0].insert(rows[0].end(), {"forward ms", "backward ms", "optimizer ms"});
  }
  rows[0].insert(rows[0].end(), {"images/s", "peak MB"});
  for (const auto& result : results) {
    const auto& sides = result["image_size"];
    std::vector<std::string> row{
        result["model"].get<std::string>(),
        sides[0].dump() + "x" + sides[1].dump(),
        cell(result["step_ms"]["median"], 2),
        cell(result["step_ms"]["p90"], 2)};
    if (training) {
      for (const auto* part : {"forward_ms", "backward_ms", "optimizer_ms"}) {
        row.push_back(cell(result[part], 2));
      }
    }
    row.push_back(cell(result["images_per_second"], 1));
    row.push_back(cell(result["peak_memory_mb"], 0));
    rows.push_back(std::move(row));
  }
  print_columns(std::cout, rows, {2, 3, 4, 5, 6, 7, 8});
}

int run_benchmark(const Arguments& arguments) {
  const auto subjects = find_subjects(arguments);
  MeasurementOptions options;
  options.device = open_device(arguments);
  options.precision = read_precision(arguments);
  options.training = arguments.text("mode") == "train";
  options.batch_size = arguments.whole("batch-size");
  options.warmup = arguments.whole("warmup");
  options.iterations = arguments.whole("iterations");
  std::vector<ordered_json> results;
  for (const auto& subject : subjects) {
    at::manual_seed(static_cast<std::uint64_t>(arguments.whole("seed")));
    const auto model = create_model(subject.name, subject.options);
    if (options.training && model->num_classes() == 0) {
      throw UsageError("benchmark: a model without a head (num_classes 0) cannot be trained");
    }
    auto result = describe(subject, options, measure(model, subject.card, options));
    if (arguments.flag("json")) {
      std::cout << to_line(result) << std::endl;
    } else {
      results.push_back(std::move(result));
    }
  }
  if (!results.empty()) {
    print_table(results);
  }
  return 0;
}

/// The common options less the threads that read images: there are none to read.
OptionGroup device_group() {
  auto group = running_group("1");
  auto& options = group.options;
  options.erase(
      std::remove_if(
          options.begin(),
          options.end(),
          [](const OptionSpec& option) { return option.name == "workers"; }),
      options.end());
  return group;
}

}  // namespace

Command benchmark_command() {
  CommandSpec spec;
  spec.name = "benchmark";
  spec.summary = "measure how fast models answer or learn, and in how much memory";
  spec.operands = "[MODEL...]";
  spec.most_operands = 1000;
  spec.description =
      "MODEL is a name of the zoo; by default one small model of each family. Weights and images "
      "are\n"
      "random, and the images are on the device already. A step is one batch: in inference the "
      "way\n"
      "from images to logits on the CPU, in training an update by the defaults of 'train' (fused\n"
      "AdamW), of which forward has the loss with it, and optimizer the norm of the gradients.\n"
      "Milliseconds are medians of the steps; p90 is what 90 % of them do not exceed; images per\n"
      "second follow from the median. Peak memory, in 1e6 bytes, is the most there was at once "
      "while\n"
      "a model was measured: on the CPU resident in the whole process, LibTorch's code included "
      "(some\n"
      "180 MB); on a GPU held by tensors.";
  spec.groups = {
      {"Model", {model_kwargs_option(), num_classes_option(), image_size_option()}},
      {"Measurement",
       {choice_option("mode", {"inference", "train"}, "what is measured", "inference"),
        whole_option("iterations", "steps that count", "20", 1, 1'000'000),
        whole_option("warmup", "steps before them", "3", 0, 1'000'000),
        seed_option(),
        flag_option("json", "one JSON object a model, each on a line, instead of a table")}},
      device_group()};
  spec.examples = {
      "vitrine benchmark vit_base_patch16_224 --threads 1",
      "vitrine benchmark swin_tiny_patch4_window7_224 mobilevit_s --batch-size 8 --json",
      "vitrine benchmark --mode train --batch-size 16 --iterations 10"};
  return {spec, run_benchmark};
}

}  // namespace vitrine
