#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// The bytes of a regular file of at most `limit` bytes.
/// Throws FileError, naming `path`, when it is missing, no regular file, larger, or cannot be read.
VITRINE_API std::vector<std::uint8_t> read_file(
    const std::string& path, std::size_t limit = std::size_t{1} << 30);

/// A part of a file seen in memory, without a copy of it, for as long as this lives.
class VITRINE_API FileView {
 public:
  /// Of nothing.
  FileView() = default;
  FileView(FileView&& other) noexcept;
  FileView& operator=(FileView&& other) noexcept;
  ~FileView();

  /// The first byte; null where nothing is seen.
  const char* data() const { return data_; }

 private:
  friend class File;
  void* pages_ = nullptr;
  std::size_t size_ = 0;  // of the pages, in bytes
  const char* data_ = nullptr;
};

/// An open file, closed on destruction; all reads and writes are complete or throw FileError.
class VITRINE_API File {
 public:
  enum class Mode { Read, Write, Append };

  /// Opens `path` for reading (a regular file), for writing (made anew) or for appending.
  File(std::string path, Mode mode);
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  /// Bytes the file holds now.
  std::uint64_t size() const;
  /// Reads `count` bytes from byte `offset` on into `data`.
  void read_at(std::uint64_t offset, void* data, std::size_t count) const;
  /// The `count` bytes (at least 1) from byte `offset` on. Sees nothing, so that they have to be
  /// read instead, unless they are all there and the system grants a lease: what is seen cannot
  /// change or be cut short, since others who open the file to write wait until it is closed here.
  FileView view(std::uint64_t offset, std::size_t count) const;
  /// Writes at the current end.
  void write(const void* data, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Waits until what was written is on the disk.
  void sync();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_;
  mutable std::once_flag lease_asked_;
  mutable bool leased_ = false;
};

/// Makes the folder `path` and those above it that are missing, so that they outlast a power cut.
/// Throws FileError.
VITRINE_API void create_folders(const std::string& path);

/// Replaces `path` by what `write` writes, so that at any instant, even one of a crash or a power
/// cut, the file is whole: the old one or the new one. It writes to a sibling, syncs it, renames it
/// and syncs the folder; on an error the sibling is removed, the old file stays, and FileError is
/// thrown.
VITRINE_API void write_file_atomically(
    const std::string& path, const std::function<void(File&)>& write);

}  // namespace vitrine
