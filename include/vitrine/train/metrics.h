#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Mean of values that come in batches.
class RunningMean {
 public:
  /// Adds `count` examples whose mean is `mean`.
  void add(double mean, int64_t count) {
    sum_ += mean * static_cast<double>(count);
    count_ += count;
  }
  /// The mean so far; 0 before the first example.
  double value() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  int64_t count() const { return count_; }

 private:
  double sum_ = 0;
  int64_t count_ = 0;
};

/// How many rows of `logits` [B, K] have their class in `targets` [B] (int64) among the `k`
/// largest; all of them count where `k` exceeds K. Of equal logits the first one comes first, so
/// that with `k` 1 these are the rows whose `argmax` is their class.
VITRINE_API int64_t
count_correct(const torch::Tensor& logits, const torch::Tensor& targets, int64_t k);

/// How well one class is told from the others; a ratio without cases is 0.
struct ClassScores {
  double precision = 0;  // share of the images taken for this class that are of it
  double recall = 0;     // share of the images of this class that are taken for it
  double f1 = 0;         // harmonic mean of both
  int64_t images = 0;    // of this class
};

/// How often class i (row) is taken for class j (column).
class VITRINE_API ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int64_t classes);

  /// Counts predictions [B] and true classes [B], both int64.
  void add(const torch::Tensor& predicted, const torch::Tensor& targets);

  /// int64 [K, K], on the CPU: sparse (COO, coalesced), since of K * K numbers no more than there
  /// are images can be above 0.
  const torch::Tensor& counts() const { return counts_; }
  /// Scores by class.
  std::vector<ClassScores> scores() const;

 private:
  torch::Tensor counts_;
};

}  // namespace vitrine
