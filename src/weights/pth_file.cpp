#include "pth_file.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "checksum.h"
#include "foreign_file.h"
#include "legacy_stream.h"
#include "strided_read.h"
#include "torch_zip.h"

namespace vitrine::detail {
namespace {

/// Bytes read at once: few enough to stay in a cache while they are looked at.
constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;

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

/// Turns the bytes of each number around.
void swap_bytes(char* data, std::uint64_t size, std::size_t number_size) {
  for (std::uint64_t i = 0; i < size; i += number_size) {
    std::reverse(data + i, data + i + number_size);
  }
}

}  // namespace

PthFile::PthFile(const std::string& path)
    : PthFile(std::make_unique<FileBytes>(path), printable(path)) {}

PthFile::PthFile(std::unique_ptr<ByteSource> source, std::string subject)
    : subject_(std::move(subject)),
      source_(std::move(source)),
      content_(read_content(*source_, subject_)),
      verified_(content_.storages.storages().size()) {}

TensorOrProblem PthFile::tensor(PickleId id, const std::string& name) const {
  return read_tensor(content_.graph, content_.storages, id, subject_, name);
}

void PthFile::read(const TensorRef& tensor, void* out) const {
  const auto size = tensor.size();
  if (size == 0) {
    return;
  }
  if (tensor.is_contiguous()) {
    read_contiguous(tensor, out);
    return;
  }
  const auto begin = content_.storages.storages()[tensor.storage].begin;
  const auto read_storage = [&](std::uint64_t offset, void* data, std::size_t count) {
    source_->read_at(begin + offset, data, count);
  };
  read_strided(tensor, read_storage, out);
  normalize(tensor.dtype, out, size);
}

void PthFile::read_contiguous(const TensorRef& tensor, void* out) const {
  const auto& storage = content_.storages.storages()[tensor.storage];
  const auto size = tensor.size();
  const auto begin = storage.begin + tensor.offset * (dtype_bits(tensor.dtype) / 8);
  const bool checked =
      storage.crc != 0 && size == storage.size() && !verified_[tensor.storage].load();
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < size; done += kPiece) {
    auto* piece = static_cast<char*>(out) + done;
    const auto count = std::min(kPiece, size - done);
    source_->read_at(begin + done, piece, count);
    if (checked) {
      crc = update_crc(crc, piece, count);
    }
    normalize(tensor.dtype, piece, count);
  }
  if (checked && crc != storage.crc) {
    throw CheckpointError(
        subject_ + ": storage '" + storage.key +
        "' is damaged: the CRC-32 of its bytes is not the one that the file says; was the download "
        "complete?");
  }
  if (checked) {
    verified_[tensor.storage].store(true);
  }
}

/// Makes numbers as they lie in the file into numbers of this machine.
void PthFile::normalize(Dtype dtype, void* data, std::uint64_t size) const {
  auto* bytes = static_cast<char*>(data);
  if (dtype == Dtype::Bool) {
    // Any byte but 0 and 1 in a bool is undefined behaviour.
    std::transform(
        bytes, bytes + size, bytes, [](char byte) { return static_cast<char>(byte != 0); });
  } else if (content_.big_endian && dtype_bits(dtype) > 8) {
    // A complex number is two numbers.
    swap_bytes(bytes, size, dtype == Dtype::C64 ? 4 : dtype_bits(dtype) / 8);
  }
}

}  // namespace vitrine::detail
