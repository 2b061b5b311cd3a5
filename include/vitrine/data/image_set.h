#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Images of one size in one file, not compressed, each plane after plane, as CIFAR and MNIST keep
/// them.
struct PackedImages {
  std::vector<std::uint8_t> bytes;  // the whole file
  std::size_t offset = 0;           // of the first image in it
  std::size_t stride = 0;           // bytes from one image to the next
  int64_t channels = 0;             // 1 (grey) or 3 (RGB)
  int64_t height = 0;
  int64_t width = 0;
};

/// An image and its class.
struct ImageSample {
  std::string path;   // of the image's file, or of the file that packs it
  int64_t label = 0;  // index into the classes
  std::shared_ptr<const PackedImages> packed = nullptr;  // where the file packs many images
  int64_t record = 0;                                    // its place among those, from 0
};

/// How messages call an image: its path, and "#" with its record where a file packs many.
VITRINE_API std::string sample_name(const ImageSample& sample);

/// The image as uint8 [H, W, 3] RGB. Throws ImageError, naming the file, when it is damaged.
VITRINE_API torch::Tensor read_image(const ImageSample& sample);

/// Images by class.
struct ImageSet {
  std::vector<std::string> classes;  // names, by index
  std::vector<ImageSample> samples;
};

/// What one trains on and what one judges by; both have the same classes.
struct ImageSplits {
  ImageSet train;
  ImageSet val;
  bool class_folders = false;  // whether classes are folders, so that another folder would be one
};

/// `set`, found at `place`, with the class indices of a model that has `labels`, or as it is where
/// the model has no labels. Throws FileError, naming them, when there are classes that the model
/// does not have, or, without labels, another number than its `num_classes`.
VITRINE_API ImageSet match_classes(
    ImageSet set,
    const std::vector<std::string>& labels,
    int64_t num_classes,
    const std::string& place);

}  // namespace vitrine
