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

#include "vitrine/data/image_set.h"
#include "vitrine/export.h"

namespace vitrine {

/// Turns a decoded image, uint8 [H, W, 3], into the input of a model, float32 [3, S, S]; what is
/// random in it comes from the generator.
using ImageTransform = std::function<torch::Tensor(const torch::Tensor&, at::Generator&)>;

/// What becomes of an image that cannot be read.
enum class BadImages {
  Fail,      // its error is thrown
  LeaveOut,  // a black image of class -1 takes its place
  Replace    // the next one of the list that can be read takes its place
};

/// Images as a dataset of LibTorch: examples of float32 [3, S, S] and an int64 class.
///
/// An example depends on the seed, the epoch and its index alone, so that batches are the same
/// whatever the number of worker threads. Indices from `size` on count the images again, and give
/// them other variations (`repeated_indices`). Copies are cheap and share the list of images.
/// Reading an image that is damaged throws ImageError, which names the file, unless told otherwise.
class VITRINE_API ImageDataset
    : public torch::data::datasets::Dataset<ImageDataset, torch::data::Example<>> {
 public:
  ImageDataset(std::vector<ImageSample> samples, ImageTransform transform, std::uint64_t seed = 0);

  torch::data::Example<> get(std::size_t index) override;
  /// The example of an index as the transform number `scale` of `set_scales` makes it, with the
  /// same random numbers; without such transforms scale 0 is that of the dataset.
  torch::data::Example<> get(std::size_t index, std::size_t scale);
  std::optional<std::size_t> size() const override;

  /// Told of an image that cannot be read and why, on any worker's thread, each time it is met; an
  /// exception that it throws takes the place of the image's own.
  using BadImageHandler = std::function<void(const ImageSample&, const std::string&)>;
  /// Sets what becomes of images that cannot be read, and who is told of those that do not fail.
  void set_bad_images(BadImages policy, BadImageHandler handler) {
    bad_images_ = policy;
    handle_bad_image_ = std::move(handler);
  }

  /// Sets transforms that make examples of other sizes.
  void set_scales(std::vector<ImageTransform> transforms) { scales_ = std::move(transforms); }
  /// How many of them there are.
  std::size_t scales() const { return scales_.size(); }

  /// Sets the epoch, from which the randomness of the examples follows.
  void set_epoch(int64_t epoch) { epoch_ = epoch; }
  /// The images, by index.
  const std::vector<ImageSample>& samples() const { return *samples_; }

 private:
  struct Found {
    torch::Tensor image;  // uint8 [H, W, 3]
    int64_t label;
  };
  Found find(std::size_t index) const;
  torch::data::Example<> make(std::size_t index, const ImageTransform& transform) const;

  std::shared_ptr<const std::vector<ImageSample>> samples_;
  ImageTransform transform_;
  std::vector<ImageTransform> scales_;
  std::uint64_t seed_;
  int64_t epoch_ = 0;
  BadImages bad_images_ = BadImages::Fail;
  BadImageHandler handle_bad_image_;
};

}  // namespace vitrine
