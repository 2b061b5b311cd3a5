#pragma once

#include <cstdint>
#include <string>

#include "vitrine/export.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// The mean of the weights of several models of one architecture, number by number, as float64 adds
/// them up. Means and variances of batch norms are averaged too; counts are those of the first
/// model.
///
/// Source: Wortsman et al. (2022), "Model soups", https://arxiv.org/abs/2203.05482 (the uniform
/// soup).
class VITRINE_API WeightAverage {
 public:
  /// Takes another model's tensors, found at `name`. Throws CheckpointError, naming both models,
  /// when keys, shapes or dtypes differ from those of the first one.
  void add(const StateDict& tensors, const std::string& name);
  int64_t count() const { return count_; }
  /// Copies the mean into `model`, which has the tensors that were added. Throws c10::ValueError
  /// when nothing was added, or where `model` has other tensors.
  void copy_to(const torch::nn::Module& model) const;

 private:
  StateDict sums_;
  StateDict first_;
  std::string first_name_;
  int64_t count_ = 0;
};

}  // namespace vitrine
