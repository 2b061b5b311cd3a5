#include "image_loop.h"

#include <ATen/Functions.h>

#include <iostream>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/infer/image_stream.h"
#include "vitrine/text.h"

#include "inputs.h"
#include "progress.h"

namespace vitrine {
namespace {

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

/// Computes with the images of one step; those that failed take no part.
void compute_step(const std::vector<StreamedImage>& step, const ImageHandler& handler) {
  std::vector<at::Tensor> images;
  for (const auto& image : step) {
    if (image.error.empty()) {
      images.push_back(image.image);
    }
  }
  if (!images.empty()) {
    handler.compute(at::stack(images));
  }
}

}  // namespace

int for_each_image(
    const Arguments& arguments,
    const std::vector<Input>& inputs,
    const PreprocessOptions& preprocess,
    const std::string& label,
    const ImageHandler& handler) {
  auto stream = open_stream(arguments, inputs, preprocess);
  Progress progress(
      std::cerr,
      standard_error_progress(arguments.flag("quiet")),
      label,
      static_cast<std::int64_t>(inputs.size()),
      "images");
  progress.update(0);
  int status = 0;
  while (auto step = stream.next()) {
    for (auto& image : *step) {
      // What the search for inputs knew of one says more than what reading it would.
      const auto& known = inputs[image.index].error;
      image.error = known.empty() ? image.error : known;
    }
    compute_step(*step, handler);
    progress.hide();
    std::size_t row = 0;
    for (const auto& image : *step) {
      if (image.error.empty()) {
        handler.write(image.index, row++);
        continue;
      }
      handler.write_error(image.index, image.error);
      std::cerr << "vitrine: " << path_text(image.path) << ": " << image.error << std::endl;
      status = 1;
    }
    if (!std::cout.flush()) {
      throw FileError("standard output: cannot be written; is the disk full?");
    }
    progress.update(static_cast<std::int64_t>(step->back().index) + 1);
  }
  return status;
}

}  // namespace vitrine
