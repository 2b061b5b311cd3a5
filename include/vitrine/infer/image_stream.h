#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/image/preprocess.h"

namespace vitrine {

/// One file of an `ImageStream`: its image, or why there is none.
struct StreamedImage {
  std::size_t index = 0;  // place in the list of paths
  std::string path;
  torch::Tensor image;  // float32 [3, H, W], preprocessed; undefined where `error` says why
  std::string error;    // one line, without the path; empty where all went well
};

/// Options of `ImageStream`.
struct ImageStreamOptions {
  /// Files of one step.
  TORCH_ARG(std::size_t, batch_size) = 16;
  /// Threads that read and decode ahead; with 0 `next` does the work itself.
  TORCH_ARG(std::size_t, workers) = 2;
};

/// Image files, decoded and preprocessed ahead of their use by threads of its own, in the order
/// given. A file that cannot be read is a result like any other and stops nothing. At most two
/// steps for each worker wait to be taken, so that memory does not grow with the number of files.
class VITRINE_API ImageStream {
 public:
  /// Throws c10::ValueError on a batch of no files.
  ImageStream(
      std::vector<std::string> paths,
      const PreprocessOptions& preprocess,
      const ImageStreamOptions& options = {});
  ImageStream(ImageStream&&) noexcept;
  ImageStream& operator=(ImageStream&&) noexcept;
  ~ImageStream();

  /// The next files, `batch_size` of them but for the last step; nothing after the last.
  std::optional<std::vector<StreamedImage>> next();

 private:
  class Loader;
  std::unique_ptr<Loader> loader_;
};

}  // namespace vitrine
