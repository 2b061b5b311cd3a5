#pragma once

#include <string>

#include "key_map.h"
#include "load_source.h"

namespace vitrine::detail {

/// A checkpoint of any layout that `map_keys` knows, by timm's names; tensors are derived as they
/// are read. Names that the layout does not know are given as they are.
class MappedSource final : public Source {
 public:
  /// `source` must outlive this. Throws CheckpointError as `map_keys` does.
  explicit MappedSource(const Source& source);

  /// Whose names the checkpoint bears, such as "torchvision ViT"; empty where nothing is
  /// recognised.
  const std::string& layout() const { return map_.layout; }
  /// How the tensors come from those of the source.
  const KeyMap& map() const { return map_; }

  std::string subject() const override { return source_.subject(); }
  std::size_t size() const override { return map_.tensors.size(); }
  const std::string& name(std::size_t i) const override { return map_.tensors[i].name; }
  torch::IntArrayRef shape(std::size_t i) const override { return map_.tensors[i].shape; }
  /// Throws CheckpointError also where the sources of a tensor have several types.
  torch::ScalarType type(std::size_t i) const override;
  std::uint64_t bytes(std::size_t i) const override;
  torch::Tensor read(std::size_t i) const override;
  bool is_finite(std::size_t i, torch::ScalarType type) const override;
  bool copy_to(std::size_t i, torch::Tensor& target) const override;
  bool copies_directly(std::size_t i, const torch::Tensor& target) const override;

 private:
  const Source& source_;
  KeyMap map_;
};

}  // namespace vitrine::detail
