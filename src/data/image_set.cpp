#include "vitrine/data/image_set.h"

#include <algorithm>

#include "vitrine/error.h"
#include "vitrine/image/image.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

torch::Tensor unpack(const PackedImages& packed, int64_t record) {
  const auto pixels = packed.height * packed.width;
  auto image = torch::empty({packed.height, packed.width, 3}, torch::kUInt8);
  auto* out = image.data_ptr<std::uint8_t>();
  const auto* in =
      packed.bytes.data() + packed.offset + static_cast<std::size_t>(record) * packed.stride;
  const auto plane = packed.channels == 1 ? 0 : pixels;  // grey is repeated
  for (int64_t i = 0; i < pixels; ++i, out += 3) {
    out[0] = in[i];
    out[1] = in[i + plane];
    out[2] = in[i + 2 * plane];
  }
  return image;
}

}  // namespace

std::string sample_name(const ImageSample& sample) {
  return sample.packed ? sample.path + "#" + std::to_string(sample.record) : sample.path;
}

torch::Tensor read_image(const ImageSample& sample) {
  return sample.packed ? unpack(*sample.packed, sample.record) : read_image(sample.path);
}

ImageSet match_classes(
    ImageSet set,
    const std::vector<std::string>& labels,
    int64_t num_classes,
    const std::string& place) {
  const auto found = std::to_string(set.classes.size());
  if (labels.empty()) {
    if (static_cast<int64_t>(set.classes.size()) != num_classes) {
      throw FileError(
          printable(place) + ": has " + found + " classes, the model has " +
          std::to_string(num_classes));
    }
    return set;
  }
  std::vector<int64_t> indices;
  std::vector<std::string> unknown;
  for (const auto& name : set.classes) {
    const auto label = std::find(labels.begin(), labels.end(), name);
    indices.push_back(label - labels.begin());
    if (label == labels.end()) {
      unknown.push_back(printable(name));
    }
  }
  if (!unknown.empty()) {
    constexpr std::size_t kMostNamed = 5;
    const auto count = unknown.size();
    unknown.resize(std::min(count, kMostNamed));
    throw FileError(
        printable(place) + ": " + std::to_string(count) + " of " + found +
        " classes are unknown to the model: " + join(unknown, ", ") +
        (count > kMostNamed ? ", ..." : ""));
  }
  set.classes = labels;
  for (auto& sample : set.samples) {
    sample.label = indices[static_cast<std::size_t>(sample.label)];
  }
  return set;
}

}  // namespace vitrine
