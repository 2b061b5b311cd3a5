#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>

#include "vitrine/export.h"

namespace vitrine {

/// How neighbours vote.
struct KnnOptions {
  /// Neighbours that vote, at least 1; all of them where there are fewer.
  TORCH_ARG(int64_t, k) = 20;
  /// What a similarity is divided by, above 0: the lower, the more the nearest ones weigh.
  TORCH_ARG(double, temperature) = 0.07;
};

/// Features with their classes.
struct LabelledFeatures {
  torch::Tensor features;  // float32 [N, C], finite
  torch::Tensor targets;   // int64 [N]
};

/// Weighted vote of the `k` nearest neighbours, by cosine similarity, for the class of each query:
///
///   score(c) = sum of w_i over the neighbours i of class c,  w_i = exp(cos(query, i) /
///   temperature)
///
/// divided by the sum over all classes, so that a row adds up to 1; a class that none of the
/// neighbours is of has 0. Queries float32 [B, C], on the references' device; result float64 [B, K]
/// for K classes.
///
/// Source: Wu et al. (2018), "Unsupervised Feature Learning via Non-Parametric Instance
/// Discrimination", section 3.4, https://arxiv.org/abs/1805.01978; as evaluation of features: Caron
/// et al. (2021), "Emerging Properties in Self-Supervised Vision Transformers", section 4.1,
/// https://arxiv.org/abs/2104.14294.
/// Throws c10::ValueError on an option, a shape or a class out of range.
VITRINE_API torch::Tensor knn_scores(
    const torch::Tensor& queries,
    const LabelledFeatures& references,
    int64_t classes,
    const KnnOptions& options = {});

/// Shares of queries, in [0, 1].
struct KnnAccuracy {
  double top1 = 0;  // whose class has the highest score
  double top5 = 0;  // whose class is among the five highest
};

/// How often `knn_scores` finds the class of `queries`; of equal scores the lower class comes
/// first. A class without a neighbour is no answer, not even the fifth. Throws c10::ValueError as
/// above, and when there are no queries.
VITRINE_API KnnAccuracy knn_accuracy(
    const LabelledFeatures& queries,
    const LabelledFeatures& references,
    int64_t classes,
    const KnnOptions& options = {});

}  // namespace vitrine
