#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vitrine/file.h"

namespace vitrine::detail {

/// Bytes that are read from any place: a file's, or some in memory. Several threads may read at
/// once.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;
  /// Reads `count` bytes from byte `offset` on into `data`. Throws FileError when they are not all
  /// there.
  virtual void read_at(std::uint64_t offset, void* data, std::size_t count) const = 0;
  /// The same bytes where they lie, at least 1; nothing where that cannot be, or is not safe.
  virtual FileView view(std::uint64_t offset, std::size_t count) const = 0;
};

/// The bytes of a file, as many as it had when it was opened.
class FileBytes final : public ByteSource {
 public:
  /// Throws FileError when `path` is no file that can be read.
  explicit FileBytes(const std::string& path);

  std::uint64_t size() const override { return size_; }
  void read_at(std::uint64_t offset, void* data, std::size_t count) const override;
  FileView view(std::uint64_t offset, std::size_t count) const override;

 private:
  File file_;
  std::uint64_t size_;
};

/// Bytes in memory that someone else owns.
class MemoryBytes final : public ByteSource {
 public:
  explicit MemoryBytes(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t size() const override { return bytes_.size(); }
  void read_at(std::uint64_t offset, void* data, std::size_t count) const override;
  FileView view(std::uint64_t /*offset*/, std::size_t /*count*/) const override { return {}; }

 private:
  std::string_view bytes_;
};

}  // namespace vitrine::detail
