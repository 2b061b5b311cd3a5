#pragma once

#include <ATen/core/Generator.h>
#include <torch/data/datasets/base.h>
#include <torch/data/example.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/data/image_folder.h"
#include "vitrine/export.h"

namespace vitrine {

/// Turns a decoded image, uint8 [H, W, 3], into the input of a model, float32 [3, S, S]; what is
/// random in it comes from the generator.
using ImageTransform = std::function<torch::Tensor(const torch::Tensor&, at::Generator&)>;

/// Images of a folder as a dataset of LibTorch: examples of float32 [3, S, S] and an int64 class.
///
/// An example depends on the seed, the epoch and its index alone, so that batches are the same
/// whatever the number of worker threads. Indices from `size` on count the images again, and give
/// them other variations (`repeated_indices`). Copies are cheap and share the list of files.
/// Reading an image that is damaged throws ImageError, which names the file.
class VITRINE_API ImageDataset
    : public torch::data::datasets::Dataset<ImageDataset, torch::data::Example<>> {
 public:
  ImageDataset(std::vector<ImageSample> samples, ImageTransform transform, std::uint64_t seed = 0);

  torch::data::Example<> get(std::size_t index) override;
  std::optional<std::size_t> size() const override;

  /// Told of a file that cannot be read and why, on any worker's thread.
  using BadImageHandler = std::function<void(const ImageSample&, const std::string&)>;
  /// From now on a file that cannot be read is told to `handler` and gives a black image of class
  /// -1, instead of an exception.
  void set_bad_image_handler(BadImageHandler handler) { bad_image_ = std::move(handler); }

  /// Sets the epoch, from which the randomness of the examples follows.
  void set_epoch(int64_t epoch) { epoch_ = epoch; }
  /// The files, by index.
  const std::vector<ImageSample>& samples() const { return *samples_; }

 private:
  std::shared_ptr<const std::vector<ImageSample>> samples_;
  ImageTransform transform_;
  std::uint64_t seed_;
  int64_t epoch_ = 0;
  BadImageHandler bad_image_;
};

}  // namespace vitrine
