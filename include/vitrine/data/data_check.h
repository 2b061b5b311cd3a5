#pragma once

#include <torch/arg.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/data/image_data.h"
#include "vitrine/export.h"

namespace vitrine {

/// An image of an `ImageData`.
struct ImagePlace {
  std::string part;
  std::size_t index;  // in the part
};

/// The least, the middle and the greatest of some numbers; the middle is the lower one of two.
struct Spread {
  int64_t least = 0;
  int64_t median = 0;
  int64_t most = 0;
};

/// What is in a data set, all of it decoded.
struct DataReport {
  int64_t images = 0;  // broken ones included
  std::vector<ImagePlace> broken;
  std::map<std::string, std::vector<int64_t>> class_counts;  // by part, then by class
  /// Images that look the same to the last pixel, two or more in each group; in the order of their
  /// first one.
  std::vector<std::vector<ImagePlace>> duplicates;
  Spread height;                           // in pixels, upright
  Spread width;                            // in pixels, upright
  std::map<std::string, int64_t> formats;  // images by format, such as "JPEG" or "packed"
  std::map<int64_t, int64_t> channels;     // images by the channels that their files hold
};

/// Whom `check_images` tells how it goes, on the calling thread and in the order of the images; any
/// may be empty.
struct DataCheckEvents {
  std::function<void(const ImagePlace&, const std::string& error)> broken;
  std::function<bool(int64_t done, int64_t total)> progress;  // false stops
};

/// Decodes every image of `data` with so many threads (at least one) and counts what there is;
/// nothing when it was stopped. Memory does not grow with the images, but by 40 bytes for each.
VITRINE_API std::optional<DataReport> check_images(
    const ImageData& data, int64_t workers, const DataCheckEvents& events = {});

/// What `scan_image_splits` would refuse about the classes of `data`, found at `path`, in one line:
/// of a part, or because those of the parts differ; nothing where they are right.
VITRINE_API std::optional<std::string> class_fault(const std::string& path, const ImageData& data);

/// Files of the image folder `data`, found at `path`, that `find_images` passes over: those below
/// class folders whose names are no image's, and images that lie beside class folders; in the order
/// of their bytes. What starts with a dot is left out. None for data of another kind. Throws
/// FileError where a folder cannot be listed.
VITRINE_API std::vector<std::string> ignored_files(const std::string& path, const ImageData& data);

/// Classes that one part has and another one has not, or where one of them has no image that can be
/// read: names, by the part that lacks them.
VITRINE_API std::map<std::string, std::vector<std::string>> missing_classes(
    const ImageData& data, const DataReport& report);

/// Whether images of a group of duplicates are in different parts, so that a model is judged by
/// what it was trained on.
VITRINE_API bool is_leak(const std::vector<ImagePlace>& group);

}  // namespace vitrine
