#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// An image file and its class.
struct ImageSample {
  std::string path;
  int64_t label;  // index into the classes
};

/// Images by class.
struct ImageFolder {
  std::vector<std::string> classes;  // names, in the order of their bytes
  std::vector<ImageSample> samples;  // by class, then in the order of the bytes of their paths
};

/// What one trains on and what one judges by; both have the same classes.
struct ImageSplits {
  ImageFolder train;
  ImageFolder val;
};

/// Finds the images of `root`/<class>/**: files that end in jpg, jpeg, png, webp, bmp, tif or tiff,
/// in any case, at any depth below the folder of their class; what starts with a dot is passed
/// over. No image is opened. Throws FileError when the folder is missing, has fewer than two
/// classes, or a class has no image.
VITRINE_API ImageFolder scan_image_folder(const std::string& root);

/// The folders train/ and val/ of `root`. Throws FileError as above, and when their classes differ.
VITRINE_API ImageSplits scan_image_splits(const std::string& root);

/// `folder`, found at `root`, with the class indices of a model that has `labels`, or as it is
/// where the model has no labels. Throws FileError, naming them, when there are classes that the
/// model does not have, or, without labels, another number than its `num_classes`.
VITRINE_API ImageFolder match_classes(
    ImageFolder folder,
    const std::vector<std::string>& labels,
    int64_t num_classes,
    const std::string& root);

}  // namespace vitrine
