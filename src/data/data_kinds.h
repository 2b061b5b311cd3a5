#pragma once

#include <set>
#include <string>
#include <vector>

#include "vitrine/data/image_data.h"

namespace vitrine::detail {

// Two for each kind of data. The first ones give the name of a file in `folder` by which it is
// told, or "" where it is of another kind; the second ones read it, and throw FileError where it is
// damaged, or where two of its files are for the same part.
std::string cifar_mark(const std::string& folder);
std::string idx_mark(const std::string& folder);
std::string list_mark(const std::string& folder);
ImageData read_cifar(const std::string& folder);
ImageData read_idx(const std::string& folder);
ImageData read_lists(const std::string& folder);

/// The images of a list, of one part or as its rows say.
ImageData read_image_list(const std::string& path);

/// The class folders of `root` with their images; there may be few of either. Throws FileError
/// where it cannot be listed.
ImageSet list_class_folders(const std::string& root);

/// Throws FileError where `set`, found at `place`, has fewer than two classes, or, unless
/// `any_count`, a class without an image.
void check_classes(const ImageSet& set, const std::string& place, bool any_count);

/// Throws FileError where the classes of `data`, found at `path`, are not as training needs them:
/// those of a part, or because those of the parts differ.
void check_parts(const std::string& path, const ImageData& data);

/// Throws FileError where the name of a class, found at `place`, is not UTF-8, as what is written
/// of it later (JSON, HTML) has to be.
void check_class_name(const std::string& name, const std::string& place);

/// Names in the order of classes: of their values where all are whole numbers, else of their bytes.
std::vector<std::string> order_classes(const std::set<std::string>& names);

/// The lines of a text file of names, less empty ones at its end.
std::vector<std::string> read_names(const std::string& path);

}  // namespace vitrine::detail
