#pragma once

#include <ATen/core/TensorBody.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "vitrine/image/preprocess.h"

#include "arguments.h"
#include "inputs.h"

namespace vitrine {

/// What a command makes of its images.
struct ImageHandler {
  /// Computes with those images of a step that could be read, [B, C, H, W].
  std::function<void(const at::Tensor& batch)> compute;
  /// Keeps or writes what was computed from image `row` of that batch; `index` is its place among
  /// the inputs.
  std::function<void(std::size_t index, std::size_t row)> write;
  /// What else there is to say of an input that failed; standard error tells it anyway.
  std::function<void(std::size_t index, const std::string& error)> write_error;
};

/// Hands `inputs` to `handler` in their order, decoded ahead by --workers threads, --batch-size at
/// a time, with a progress bar called `label`. An input that cannot be read costs a line on
/// standard error. Standard output is flushed after each step. Gives the exit status: 1 when an
/// input failed.
int for_each_image(
    const Arguments& arguments,
    const std::vector<Input>& inputs,
    const PreprocessOptions& preprocess,
    const std::string& label,
    const ImageHandler& handler);

}  // namespace vitrine
