#include "vitrine/data/image_dataset.h"

#include <algorithm>
#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/error.h"

namespace vitrine {

ImageDataset::ImageDataset(
    std::vector<ImageSample> samples, ImageTransform transform, std::uint64_t seed)
    : samples_(std::make_shared<const std::vector<ImageSample>>(std::move(samples))),
      transform_(std::move(transform)),
      seed_(seed) {}

torch::data::Example<> ImageDataset::get(std::size_t index) {
  return make(index, transform_);
}

torch::data::Example<> ImageDataset::get(std::size_t index, std::size_t scale) {
  const auto count = std::max<std::size_t>(scales_.size(), 1);
  TORCH_CHECK_VALUE(
      scale < count, "scale has to be below the ", count, " of the dataset, but got ", scale);
  return make(index, scales_.empty() ? transform_ : scales_[scale]);
}

torch::data::Example<> ImageDataset::make(
    std::size_t index, const ImageTransform& transform) const {
  const auto found = find(index);
  auto generator = make_generator(mix_seed(seed_, static_cast<std::uint64_t>(epoch_), index));
  return {transform(found.image, generator), torch::scalar_tensor(found.label, torch::kInt64)};
}

/// The image that is read for `index`, itself or another.
ImageDataset::Found ImageDataset::find(std::size_t index) const {
  const auto count = samples_->size();
  for (std::size_t step = 0; step < count; ++step) {
    const auto& sample = samples_->at((index + step) % count);
    try {
      return {read_image(sample), sample.label};
    } catch (const FileError& error) {
      if (bad_images_ == BadImages::Fail) {
        throw;
      }
      if (handle_bad_image_) {
        handle_bad_image_(sample, error.what());
      }
    }
    if (bad_images_ == BadImages::LeaveOut) {
      return {torch::zeros({1, 1, 3}, torch::kUInt8), -1};
    }
  }
  throw ImageError("none of the " + std::to_string(count) + " images can be read");
}

std::optional<std::size_t> ImageDataset::size() const {
  return samples_->size();
}

}  // namespace vitrine
