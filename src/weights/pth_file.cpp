#include "pth_file.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "finite_copy.h"
#include "foreign_file.h"
#include "legacy_stream.h"
#include "strided_read.h"
#include "torch_zip.h"
#include "value_read.h"

namespace vitrine::detail {
namespace {

/// Reads what `source` holds in the way that its first bytes tell.
PthContent read_content(const ByteSource& source, const std::string& subject) {
  if (source.size() == 0) {
    throw CheckpointError(subject + ": is empty; expected a PyTorch checkpoint");
  }
  std::string start(std::min<std::uint64_t>(source.size(), kForeignPrefix), '\0');
  source.read_at(0, start.data(), start.size());
  if (start.compare(0, 4, "PK\x03\x04") == 0) {
    return read_torch_zip(source, subject);
  }
  if (start[0] == '\x80') {
    return read_legacy_stream(source, subject);
  }
  const auto kind = foreign_kind(start);
  throw CheckpointError(
      subject + ": " + (kind.empty() ? "is no PyTorch checkpoint" : kind) +
      "; expected what torch.save writes: a zip archive or a stream of pickles");
}

}  // namespace

PthFile::PthFile(const std::string& path)
    : PthFile(std::make_unique<FileBytes>(path), printable(path)) {}

PthFile::PthFile(std::unique_ptr<ByteSource> source, std::string subject)
    : subject_(std::move(subject)),
      source_(std::move(source)),
      content_(read_content(*source_, subject_)) {}

TensorOrProblem PthFile::tensor(PickleId id, const std::string& name) const {
  return read_tensor(content_.graph, content_.storages, id, subject_, name);
}

bool PthFile::read(const TensorRef& tensor, void* out) const {
  const auto size = tensor.size();
  if (size == 0) {
    return true;
  }
  if (tensor.is_contiguous()) {
    return read_contiguous(tensor, out);
  }
  const auto begin = content_.storages.storages()[tensor.storage].begin;
  const auto read_storage = [&](std::uint64_t offset, void* data, std::size_t count) {
    source_->read_at(begin + offset, data, count);
  };
  read_strided(tensor, read_storage, out);
  normalize_values({tensor.dtype, content_.big_endian}, static_cast<char*>(out), size);
  return all_finite(tensor.dtype, out, size);
}

bool PthFile::read_contiguous(const TensorRef& tensor, void* out) const {
  const auto& storage = content_.storages.storages()[tensor.storage];
  const auto size = tensor.size();
  const auto begin = storage.begin + tensor.offset * (dtype_bits(tensor.dtype) / 8);
  const bool checked = storage.crc != 0 && size == storage.size();
  const auto found =
      read_values(*source_, begin, size, {tensor.dtype, content_.big_endian, checked}, out);
  if (checked && found.crc != storage.crc) {
    throw CheckpointError(
        subject_ + ": storage '" + storage.key +
        "' is damaged: the CRC-32 of its bytes is not the one that the file says; was the download "
        "complete?");
  }
  return found.finite;
}

}  // namespace vitrine::detail
