#include <ATen/Functions.h>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/infer/image_stream.h"
#include "vitrine/infer/predictor.h"
#include "vitrine/text.h"

#include "commands.h"
#include "common_options.h"
#include "inputs.h"
#include "predictions.h"
#include "progress.h"

namespace vitrine {
namespace {

constexpr std::size_t kLongestName = 4096;

/// Classifies the images of one step; failed ones have no answer.
std::vector<std::vector<Prediction>> classify_step(
    const Predictor& predictor, const std::vector<StreamedImage>& step, std::int64_t top_k) {
  std::vector<torch::Tensor> images;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i].error.empty()) {
      images.push_back(step[i].image);
      places.push_back(i);
    }
  }
  std::vector<std::vector<Prediction>> answers(step.size());
  if (!images.empty()) {
    auto found = predictor.classify_batch(at::stack(images), top_k);
    for (std::size_t i = 0; i < places.size(); ++i) {
      answers[places[i]] = std::move(found[i]);
    }
  }
  return answers;
}

ImageStream open_stream(
    const Arguments& arguments,
    const std::vector<Input>& inputs,
    const PreprocessOptions& preprocess) {
  std::vector<std::string> paths;
  paths.reserve(inputs.size());
  for (const auto& input : inputs) {
    paths.push_back(input.path);
  }
  const auto options = ImageStreamOptions()
                           .batch_size(arguments.whole("batch-size"))
                           .workers(arguments.whole("workers"));
  return {std::move(paths), preprocess, options};
}

int run(const Arguments& arguments) {
  check_model_options(arguments);
  const auto inputs = expand_inputs(arguments.operands(), arguments.flag("recursive"), std::cin);
  const auto device = open_device(arguments);
  auto loaded = open_model(arguments);
  const Predictor predictor(std::move(loaded.model), std::move(loaded.card), device);
  auto stream = open_stream(arguments, inputs, predictor.card().preprocess);
  const auto writer = make_prediction_writer(arguments.text("format"), std::cout);
  Progress progress(
      std::cerr,
      standard_error_progress(arguments.flag("quiet")),
      "classify",
      static_cast<std::int64_t>(inputs.size()),
      "images");
  progress.update(0);
  int status = 0;
  while (const auto step = stream.next()) {
    const auto answers = classify_step(predictor, *step, arguments.whole("top-k"));
    progress.hide();
    for (std::size_t i = 0; i < step->size(); ++i) {
      const auto& image = (*step)[i];
      const auto& known = inputs[image.index].error;
      const auto& error = known.empty() ? image.error : known;
      if (error.empty()) {
        writer->write(image.path, answers[i]);
        continue;
      }
      writer->write_error(image.path, error);
      std::cerr << "vitrine: " << printable(image.path, kLongestName) << ": " << error << std::endl;
      status = 1;
    }
    if (!std::cout.flush()) {
      throw FileError("standard output: cannot be written; is the disk full?");
    }
    progress.update(static_cast<std::int64_t>(step->back().index) + 1);
  }
  return status;
}

}  // namespace

Command classify_command() {
  CommandSpec spec;
  spec.name = "classify";
  spec.summary = "say what images show";
  spec.operands = "INPUT...";
  spec.least_operands = 1;
  spec.most_operands = static_cast<std::size_t>(-1);
  spec.description =
      "INPUT is an image file (JPEG, PNG, WebP, BMP or TIFF, told apart by content), a folder with "
      "such\n"
      "files, a pattern in quotes, or - for a list of files on standard input, one a line. Answers "
      "go to\n"
      "standard output in the order of the inputs; an input that cannot be read costs one line on\n"
      "standard error and turns the exit status to 1, and the others are still answered.";
  spec.groups = {
      model_group(),
      {"Answer",
       {whole_option("top-k", "likeliest classes of each image; 0: every class, by index", "5", 0),
        choice_option("format", {"table", "jsonl", "csv"}, "how the answers are printed", "table"),
        flag_option("recursive", "look into the sub-folders of a folder too")}},
      preprocessing_group(),
      running_group("16")};
  spec.examples = {
      "vitrine classify --weights vit.safetensors photo.jpg",
      "vitrine classify --weights vit.safetensors --recursive photos --format jsonl > "
      "answers.jsonl",
      "find . -name '*.png' | vitrine classify --weights vit.safetensors --top-k 1 --format csv -",
      "vitrine classify --model vit_tiny_patch16_224 --weights timm.safetensors --labels names.txt "
      "a.jpg"};
  return {spec, run};
}

}  // namespace vitrine
