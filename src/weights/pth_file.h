#pragma once

#include <memory>
#include <string>

#include "byte_source.h"
#include "pth_content.h"
#include "torch_object.h"

namespace vitrine::detail {

/// A PyTorch checkpoint (.pth, .pt, .bin), as torch.save has written it since PyTorch 0.1.10, open,
/// with its structure checked in full. Nothing in it is executed; tensors are read one at a time,
/// by several threads at once if need be.
class PthFile {
 public:
  /// Throws FileError when `path` cannot be read and CheckpointError when it is no sound PyTorch
  /// checkpoint, saying what it is instead where that is known.
  explicit PthFile(const std::string& path);
  /// The same of bytes that `subject` names in messages.
  PthFile(std::unique_ptr<ByteSource> source, std::string subject);

  /// What messages begin with: the path, fit to print.
  const std::string& subject() const { return subject_; }
  /// Bytes of the file.
  std::uint64_t size() const { return source_->size(); }
  /// The object that was saved.
  const PickleGraph& graph() const { return content_.graph; }
  const StorageTable& storages() const { return content_.storages; }

  /// The tensor of a value for which `is_tensor` holds, or why it is not read. Throws
  /// CheckpointError, naming it `name`, when it is unsound.
  TensorOrProblem tensor(PickleId id, const std::string& name) const;

  /// Writes the elements of `tensor` to `out`, `tensor.size()` bytes: one after another, the last
  /// dimension's first, each with its lowest byte first, booleans as 0 and 1. Gives whether none is
  /// NaN or infinite. Throws CheckpointError when a storage that is read as a whole does not have
  /// the checksum that the file says. A contiguous tensor is only looked at where `out` is null.
  bool read(const TensorRef& tensor, void* out) const;

 private:
  bool read_contiguous(const TensorRef& tensor, void* out) const;

  std::string subject_;
  std::unique_ptr<ByteSource> source_;
  PthContent content_;
};

}  // namespace vitrine::detail
