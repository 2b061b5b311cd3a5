#pragma once

#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Names of the classes from a text file, one a line, class 0 first; a line may end with CR, and
/// the last one need not end at all. Throws FileError on a file that cannot be read, has an empty
/// line, or is no UTF-8 text.
VITRINE_API std::vector<std::string> read_labels(const std::string& path);

}  // namespace vitrine
