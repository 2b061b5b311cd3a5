#pragma once

#include <string>

#include "vitrine/data/image_set.h"
#include "vitrine/export.h"

namespace vitrine {

/// Finds the images of `root`/<class>/**: files that end in jpg, jpeg, png, webp, bmp, tif or tiff,
/// in any case, at any depth below the folder of their class; what starts with a dot is passed
/// over. No image is opened. Classes, and the images of each, are in the order of their bytes.
/// Throws FileError when the folder is missing, has fewer than two classes, or a class has no
/// image.
VITRINE_API ImageSet scan_image_folder(const std::string& root);

}  // namespace vitrine
