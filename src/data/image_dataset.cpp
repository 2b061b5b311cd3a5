#include "vitrine/data/image_dataset.h"

#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/error.h"
#include "vitrine/image/image.h"

namespace vitrine {

ImageDataset::ImageDataset(
    std::vector<ImageSample> samples, ImageTransform transform, std::uint64_t seed)
    : samples_(std::make_shared<const std::vector<ImageSample>>(std::move(samples))),
      transform_(std::move(transform)),
      seed_(seed) {}

torch::data::Example<> ImageDataset::get(std::size_t index) {
  const auto& sample = samples_->at(samples_->empty() ? 0 : index % samples_->size());
  auto generator = make_generator(mix_seed(seed_, static_cast<std::uint64_t>(epoch_), index));
  auto image = torch::zeros({1, 1, 3}, torch::kUInt8);  // [H, W, 3]
  auto label = sample.label;
  try {
    image = read_image(sample.path);
  } catch (const FileError& error) {
    if (!bad_image_) {
      throw;
    }
    bad_image_(sample, error.what());
    label = -1;
  }
  return {transform_(image, generator), torch::scalar_tensor(label, torch::kInt64)};
}

std::optional<std::size_t> ImageDataset::size() const {
  return samples_->size();
}

}  // namespace vitrine
