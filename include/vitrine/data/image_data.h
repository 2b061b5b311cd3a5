#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "vitrine/data/image_set.h"
#include "vitrine/export.h"

namespace vitrine {

/// What is found where one says that images are, before anything is asked of it.
struct ImageData {
  std::string kind;  // such as "image folder"
  /// Whether each part has classes of its own, those of its folders, rather than all the same.
  bool own_classes = false;
  /// The parts by name: "train", "val", or only one of them; "" alone for data without parts.
  std::map<std::string, ImageSet> parts;
};

/// Finds the images at `path`, which is, told by its content, one of
///   - a folder with train/ or val/, each of class folders (`scan_image_folder`), or with class
///     folders alone;
///   - a folder with train.csv or train.jsonl, and val.csv or val.jsonl, or one such file, whose
///     column "split" may say train or val: CSV (RFC 4180) whose first line names the columns
///     "file" and "label", or JSON objects with these, one a line. Paths are relative to the list.
///     Classes are in the order of their bytes, or of their values where all are whole numbers;
///   - the binary version of CIFAR-10 or CIFAR-100 (its fine classes), in the order of their names'
///     file; the test images are "val";
///   - MNIST's IDX files, as Fashion-MNIST and EMNIST have them too, with or without .gz; classes
///     are called as the lines of labels.txt beside them, else by their numbers; the test images
///     are "val".
/// Sizes are checked against those of the files before memory is taken. No image is decoded. Throws
/// FileError, naming the file, its line or record, and what was expected.
VITRINE_API ImageData find_images(const std::string& path);

/// The images at `path` (`find_images`) to train on and to judge by. Where it has none to judge by,
/// `val_fraction`, in (0, 1), sets so large a share of each class apart, drawn by `seed`: one image
/// at least, and all but one at most; 0 sets none apart. Throws FileError as `find_images` does,
/// also when a part is missing or is there in spite of `val_fraction`, when there is one class
/// only, when a class has no image to train on, or when the classes of the parts differ;
/// c10::ValueError when `val_fraction` is out of range.
VITRINE_API ImageSplits
scan_image_splits(const std::string& path, double val_fraction = 0, std::uint64_t seed = 0);

/// The part "train" or "val" of the images at `path`, or all of them where they have no parts.
/// Throws FileError as `find_images` does, also when the part is missing, or has one class only.
VITRINE_API ImageSet scan_image_part(const std::string& path, const std::string& part);

}  // namespace vitrine
