#pragma once

#include <cstdint>
#include <string>

#include "byte_source.h"

namespace vitrine::detail {

/// Values of a zip record's fields that say: see the Zip64 record.
constexpr std::uint64_t kZip16Limit = 0xFFFF;
constexpr std::uint64_t kZip32Limit = 0xFFFFFFFF;

/// Bytes that an entry of a zip archive's directory has, besides its name and what follows.
constexpr std::uint64_t kZipEntry = 46;

/// Where the directory of a zip archive lies, and how many members it lists.
struct ZipDirectory {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
};

/// Finds the directory by the end record, which must be the file's last 22 bytes, with the Zip64
/// end record before it where there is one. The directory must end where these begin, and be large
/// enough for its members. Throws CheckpointError, beginning with `subject`.
ZipDirectory find_zip_directory(const ByteSource& source, const std::string& subject);

}  // namespace vitrine::detail
