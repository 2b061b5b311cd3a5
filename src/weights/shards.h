#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "load_source.h"
#include "safetensors_file.h"

namespace vitrine::detail {

/// A checkpoint in several safetensors files beside its index, which is a JSON
/// {"weight_map": {TENSOR: FILE, ...}}, as transformers' save_pretrained writes it
/// (model.safetensors.index.json). Each file stays open, and tensors are read where they are
/// needed.
class ShardsSource final : public Source {
 public:
  /// Throws FileError when a file cannot be read, and CheckpointError when the index is no sound
  /// one, names a file that is not beside it, or does not agree with the files' tensors.
  explicit ShardsSource(const std::string& path);

  /// The entry of tensor `i` in its file.
  const TensorEntry& entry(std::size_t i) const { return *places_[i].entry; }
  /// Bytes of all files.
  std::uint64_t file_bytes() const { return file_bytes_; }

  std::string subject() const override { return subject_; }
  std::size_t size() const override { return places_.size(); }
  const std::string& name(std::size_t i) const override { return entry(i).name; }
  torch::IntArrayRef shape(std::size_t i) const override { return entry(i).shape; }
  torch::ScalarType type(std::size_t i) const override;
  std::uint64_t bytes(std::size_t i) const override { return entry(i).size(); }
  torch::Tensor read(std::size_t i) const override;
  bool copy_to(std::size_t i, torch::Tensor& target) const override;
  bool copies_directly(std::size_t i, const torch::Tensor& target) const override;

 private:
  struct Place {
    const SafetensorsFile* file;
    const TensorEntry* entry;
  };

  std::string subject_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::vector<Place> places_;
  std::uint64_t file_bytes_ = 0;
};

/// Whether a file that starts so is an index of shards.
bool is_shard_index(std::string_view start);

}  // namespace vitrine::detail
