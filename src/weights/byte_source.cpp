#include "byte_source.h"

#include <cstring>

#include "vitrine/error.h"

namespace vitrine::detail {

FileBytes::FileBytes(const std::string& path)
    : file_(path, File::Mode::Read), size_(file_.size()) {}

void FileBytes::read_at(std::uint64_t offset, void* data, std::size_t count) const {
  file_.read_at(offset, data, count);
}

FileView FileBytes::view(std::uint64_t offset, std::size_t count) const {
  return file_.view(offset, count);
}

void MemoryBytes::read_at(std::uint64_t offset, void* data, std::size_t count) const {
  if (offset > bytes_.size() || count > bytes_.size() - offset) {
    throw FileError("the bytes in memory end while they are read");
  }
  if (count > 0) {
    std::memcpy(data, bytes_.data() + offset, count);
  }
}

}  // namespace vitrine::detail
