#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "vitrine/models/intermediates.h"

namespace vitrine::detail {

/// Which of a model's blocks or stages `forward_intermediates` takes features of.
class TakenFeatures {
 public:
  /// `count` is the number of blocks or stages, `model` the name for errors. Throws c10::ValueError
  /// on an index beyond them and on an unknown format.
  TakenFeatures(const std::string& model, std::size_t count, const IntermediatesOptions& options);

  bool has(std::size_t i) const { return taken_[i]; }
  /// How many blocks or stages are to be run.
  std::size_t end() const { return end_; }

  /// A map [B, C, H, W] in the format asked for.
  torch::Tensor from_nchw(const torch::Tensor& map) const;
  /// A map [B, H, W, C] in the format asked for.
  torch::Tensor from_nhwc(const torch::Tensor& map) const;

 private:
  std::vector<bool> taken_;
  std::size_t end_;
  bool as_tokens_;
};

}  // namespace vitrine::detail
