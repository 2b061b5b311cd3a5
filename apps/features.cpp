#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "vitrine/infer/predictor.h"
#include "vitrine/text.h"

#include "commands.h"
#include "common_options.h"
#include "feature_writer.h"
#include "image_loop.h"
#include "inputs.h"
#include "knn_evaluation.h"
#include "open_model.h"

namespace vitrine {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// jsonl, npy or safetensors: as --format says, else as the name of --output ends.
std::string choose_format(const Arguments& arguments) {
  const auto output = arguments.text("output");
  auto format = arguments.text("format");
  if (format == "table" || format == "json") {
    throw UsageError(
        "option --format: got " + format + ", expected jsonl, npy or safetensors without --knn");
  }
  if (!format.empty()) {
    if (output.empty() && format != "jsonl") {
      throw UsageError("features: --format " + format + " needs --output FILE");
    }
    return format;
  }
  for (const auto* name : {"jsonl", "npy", "safetensors"}) {
    if (ends_with(output, std::string(".") + name)) {
      return name;
    }
  }
  if (!output.empty()) {
    throw UsageError(
        "option --output: got " + printable(output) +
        ", expected a name that ends in .safetensors, .npy or .jsonl; --format tells it too");
  }
  return "jsonl";
}

/// Refuses to write over what is read.
void check_output(const Arguments& arguments) {
  const auto output = arguments.text("output");
  std::error_code ignored;
  if (!output.empty() && std::filesystem::equivalent(output, arguments.text("weights"), ignored)) {
    throw UsageError(
        "features: --output names the file of --weights, " + printable(output) +
        "; expected another name");
  }
}

/// What belongs to the other of the command's two uses is a mistake, and told before anything is
/// opened.
void check_use(const Arguments& arguments) {
  if (!arguments.given("knn")) {
    if (arguments.operands().empty()) {
      throw UsageError("features: INPUT... is missing; see 'vitrine features --help'");
    }
    for (const auto* name : {"neighbours", "temperature", "val-fraction", "seed"}) {
      if (arguments.given(name)) {
        throw UsageError(std::string("features: --") + name + " needs --knn DATA");
      }
    }
    choose_format(arguments);
    check_output(arguments);
    return;
  }
  const auto format = arguments.text("format");
  if (!arguments.operands().empty()) {
    throw UsageError(
        "features: unexpected '" + printable(arguments.operands()[0]) +
        "'; --knn takes its images from DATA alone");
  }
  if (arguments.given("output")) {
    throw UsageError("features: --output is not for --knn, whose result is a line");
  }
  if (!format.empty() && format != "table" && format != "json") {
    throw UsageError("option --format: got " + format + ", expected table or json with --knn");
  }
}

int write_features(
    const Arguments& arguments, const Predictor& predictor, const std::vector<Input>& inputs) {
  const auto writer =
      make_feature_writer(choose_format(arguments), arguments.text("output"), inputs);
  at::Tensor features;  // [B, C]
  ImageHandler handler;
  handler.compute = [&](const at::Tensor& batch) { features = predictor.features(batch); };
  handler.write = [&](std::size_t index, std::size_t row) {
    writer->write(inputs[index].path, features[static_cast<int64_t>(row)]);
  };
  handler.write_error = [&](std::size_t index, const std::string& error) {
    writer->write_error(inputs[index].path, error);
  };
  const auto status = for_each_image(
      arguments, inputs, predictor.card().preprocess, arguments.spec().name, handler);
  writer->finish();
  return status;
}

int run_features(const Arguments& arguments) {
  check_model_options(arguments);
  check_use(arguments);
  const auto inputs = expand_inputs(arguments.operands(), arguments.flag("recursive"), std::cin);
  const auto device = open_device(arguments);
  auto loaded = open_model(arguments, arguments.text("weights"), /*any_head=*/true);
  const Predictor predictor(
      std::move(loaded.model), std::move(loaded.card), device, read_precision(arguments));
  return arguments.given("knn") ? evaluate_neighbours(arguments, predictor)
                                : write_features(arguments, predictor, inputs);
}

}  // namespace

Command features_command() {
  CommandSpec spec;
  spec.name = "features";
  spec.summary = "turn images into vectors: what stands before the head";
  spec.operands = "INPUT...";
  spec.most_operands = static_cast<std::size_t>(-1);
  spec.description =
      "INPUT is as for 'classify': image files, folders, patterns in quotes, or - for a list on "
      "standard\n"
      "input. Writes the pooled features of each, in the order of the inputs: JSON lines, or with "
      "--output\n"
      "a float32 matrix with one row for each image that could be read. FILE.npy has the name of "
      "each row\n"
      "beside it, a line in FILE.npy.txt; FILE.safetensors has tensor 'features' and the names as "
      "a "
      "JSON\n"
      "list in its metadata, 'files'. An input that cannot be read costs one line on standard "
      "error "
      "and\n"
      "turns the exit status to 1. The head of the model, if any, plays no part.\n"
      "\n"
      "With --knn, and no INPUT, the features are judged instead: each image of val in DATA is "
      "given the\n"
      "class that its nearest images of train vote for, weighted by exp(cosine / temperature).";
  spec.groups = {
      model_group(/*head=*/false),
      {"Features",
       {text_option("output", "FILE", ".safetensors, .npy or .jsonl; else standard output"),
        choice_option(
            "format",
            {"jsonl", "npy", "safetensors", "table", "json"},
            "jsonl, npy or safetensors where the name of --output does not say it; with --knn "
            "table, the default, or json"),
        flag_option("recursive", "look into the sub-folders of a folder too")}},
      {"Evaluation",
       {text_option("knn", "DATA", "images to train on and to judge by, as for 'train'"),
        val_fraction_option(),
        split_seed_option(),
        whole_option("neighbours", "how many of them vote, k", "20", 1),
        real_option(
            "temperature",
            "the lower, the more the nearest ones weigh",
            "0.07",
            Range::closed(1e-6, 1e6))}},
      preprocessing_group(),
      running_group("16")};
  spec.examples = {
      "vitrine features --weights vit.safetensors photos --recursive --output photos.npy",
      "vitrine features --model vit_small_patch16_224.dino --weights dino.pth a.jpg b.jpg > "
      "features.jsonl",
      "vitrine features --weights dinov2.pth --image-size 224 --knn flowers"};
  return {spec, run_features};
}

}  // namespace vitrine
