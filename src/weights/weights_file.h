#pragma once

#include <memory>
#include <string>

#include "vitrine/weights/safetensors.h"

#include "checkpoint_tree.h"
#include "load_source.h"
#include "mapped_source.h"
#include "pth_file.h"
#include "safetensors_file.h"
#include "shards.h"

namespace vitrine::detail {

/// The checkpoint in the folder `path`, as timm and transformers name it, or `path` itself where it
/// is no folder. Throws CheckpointError on a folder without one.
std::string checkpoint_path(const std::string& path);

/// What the files are that vitrine reads weights from.
enum class WeightsKind { Safetensors, Shards, PthZip, PthLegacy };

/// The kind by the file's first bytes: safetensors where it is no other one. Throws FileError when
/// it cannot be read.
WeightsKind weights_kind(const std::string& path);

/// A file with weights, of any kind and layout that vitrine reads, open; its tensors by timm's
/// names.
class WeightsFile {
 public:
  /// Of a PyTorch file, `key` says which dict is the state dict; empty for the usual ones. Throws
  /// FileError and CheckpointError.
  explicit WeightsFile(const std::string& path, const std::string& key = "");

  const std::string& path() const { return path_; }
  /// What messages begin with: the path, fit to print.
  const std::string& subject() const { return subject_; }
  WeightsKind kind() const { return kind_; }
  /// The header of a safetensors file, or null for another kind.
  const SafetensorsHeader* header() const {
    return safetensors_ ? &safetensors_->header() : nullptr;
  }
  /// Several files behind an index, or null for another kind.
  const ShardsSource* shards() const { return shards_; }
  /// A PyTorch file, or null for another kind, and where its weights were found.
  const PthFile* pth() const { return pth_.get(); }
  const CheckpointTree& tree() const { return tree_; }
  const MappedSource& tensors() const { return *tensors_; }
  /// The same by the file's own names.
  const Source& source() const { return *source_; }

 private:
  void check_no_key(const std::string& key) const;

  std::string path_;
  std::string subject_;
  WeightsKind kind_;
  std::unique_ptr<SafetensorsFile> safetensors_;
  std::unique_ptr<PthFile> pth_;
  CheckpointTree tree_;
  std::unique_ptr<Source> source_;
  const ShardsSource* shards_ = nullptr;  // of source_
  std::unique_ptr<MappedSource> tensors_;
};

}  // namespace vitrine::detail
