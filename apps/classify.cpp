#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/infer/predictor.h"

#include "commands.h"
#include "common_options.h"
#include "image_loop.h"
#include "inputs.h"
#include "open_model.h"
#include "predictions.h"

namespace vitrine {
namespace {

int run_classify(const Arguments& arguments) {
  check_model_options(arguments);
  const auto inputs = expand_inputs(arguments.operands(), arguments.flag("recursive"), std::cin);
  const auto device = open_device(arguments);
  auto loaded = open_classifier(arguments);
  const Predictor predictor(
      std::move(loaded.model), std::move(loaded.card), device, read_precision(arguments));
  const auto writer = make_prediction_writer(arguments.text("format"), std::cout);
  std::vector<std::vector<Prediction>> answers;
  ImageHandler handler;
  handler.compute = [&](const at::Tensor& batch) {
    answers = predictor.classify_batch(batch, arguments.whole("top-k"));
  };
  handler.write = [&](std::size_t index, std::size_t row) {
    writer->write(inputs[index].path, answers[row]);
  };
  handler.write_error = [&](std::size_t index, const std::string& error) {
    writer->write_error(inputs[index].path, error);
  };
  return for_each_image(
      arguments, inputs, predictor.card().preprocess, arguments.spec().name, handler);
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
      "INPUT is an image file (JPEG, PNG, WebP, BMP or TIFF, told apart by content), a folder, in "
      "which\n"
      "files whose names end as an image's do are taken, a pattern in quotes, or - for a list of "
      "files\n"
      "on standard input, one a line. Answers go to standard output in the order of the inputs; "
      "an\n"
      "input that cannot be read costs one line on standard error and turns the exit status to 1, "
      "and\n"
      "the others are still answered.";
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
  return {spec, run_classify};
}

}  // namespace vitrine
