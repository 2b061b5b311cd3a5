#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vitrine/data/image_data.h"

namespace vitrine::detail {

// One for each kind of data: what `folder` holds, or nothing where it is of another kind. They
// throw FileError where it is of theirs, but damaged.
std::optional<ImageData> find_cifar(const std::string& folder);
std::optional<ImageData> find_idx(const std::string& folder);
std::optional<ImageData> find_lists(const std::string& folder);

/// The images of a list, of one part or as its rows say.
ImageData read_image_list(const std::string& path);

/// The class folders of `root` with their images; there may be few of either. Throws FileError
/// where it cannot be listed.
ImageSet list_class_folders(const std::string& root);

/// Throws FileError where `set`, found at `place`, has fewer than two classes, or, unless
/// `any_count`, a class without an image.
void check_classes(const ImageSet& set, const std::string& place, bool any_count);

/// Names in the order of classes: of their values where all are whole numbers, else of their bytes.
std::vector<std::string> order_classes(const std::set<std::string>& names);

/// The lines of a text file of names, less empty ones at its end.
std::vector<std::string> read_names(const std::string& path);

}  // namespace vitrine::detail
