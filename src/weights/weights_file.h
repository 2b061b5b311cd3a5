#pragma once

#include <memory>
#include <string>

#include "vitrine/weights/safetensors.h"

#include "load_source.h"
#include "mapped_source.h"
#include "pth_file.h"
#include "safetensors_file.h"

namespace vitrine::detail {

/// Whether the file at `path` is of PyTorch's own formats, by its first bytes. Throws FileError
/// when it cannot be read.
bool is_pth(const std::string& path);

/// A file with weights, of any kind and layout that vitrine reads, open; its tensors by timm's
/// names.
class WeightsFile {
 public:
  /// Of a PyTorch file, `key` says which dict is the state dict; empty for the usual ones. Throws
  /// FileError and CheckpointError.
  explicit WeightsFile(const std::string& path, const std::string& key = "");

  const std::string& subject() const { return subject_; }
  /// The header of a safetensors file, or null for another kind.
  const SafetensorsHeader* header() const {
    return safetensors_ ? &safetensors_->header() : nullptr;
  }
  const MappedSource& tensors() const { return *tensors_; }

 private:
  std::string subject_;
  std::unique_ptr<SafetensorsFile> safetensors_;
  std::unique_ptr<PthFile> pth_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<MappedSource> tensors_;
};

}  // namespace vitrine::detail
