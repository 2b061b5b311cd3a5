#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "vitrine/text.h"

namespace vitrine {

/// `path` fit for a message: as `printable` has it, and longer than any path.
inline std::string path_text(const std::string& path) {
  return printable(path, 4096);
}

/// One image to read.
struct Input {
  std::string path;
  std::string error;  // why there is nothing to read at `path`; mostly empty: reading will tell
};

/// The files that the words of a command line stand for, in order: a file; a folder, for every
/// entry with an image's extension, sorted by path (and those of its sub-folders when `recursive`);
/// a pattern with
/// * ? or [] that the shell left alone; "-" for a list in `list`, one file or folder a line. Throws
/// UsageError when "-" stands twice.
std::vector<Input> expand_inputs(
    const std::vector<std::string>& words, bool recursive, std::istream& list);

}  // namespace vitrine
