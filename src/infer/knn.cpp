#include "vitrine/infer/knn.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

namespace vitrine {
namespace {

constexpr int64_t kMostSimilarities = int64_t{1} << 24;  // at a time: 64 MiB

torch::Tensor normalised(const torch::Tensor& features) {
  constexpr double kLeastLength = 1e-12;  // features of nothing but zeros resemble none
  return features / features.norm(2, /*dim=*/1, /*keepdim=*/true).clamp_min(kLeastLength);
}

void check(const LabelledFeatures& labelled, int64_t classes, const char* what) {
  const auto& [features, targets] = labelled;
  TORCH_CHECK_VALUE(
      features.dim() == 2 && features.scalar_type() == torch::kFloat && targets.dim() == 1 &&
          targets.scalar_type() == torch::kInt64 && features.size(0) == targets.size(0) &&
          features.size(0) > 0,
      what,
      " have to be float32 [N, C] and int64 [N] with N at least 1, but got ",
      features.scalar_type(),
      " ",
      features.sizes(),
      " and ",
      targets.scalar_type(),
      " ",
      targets.sizes());
  TORCH_CHECK_VALUE(
      targets.ge(0).logical_and(targets.lt(classes)).all().item<bool>(),
      what,
      ": classes have to be between 0 and ",
      classes - 1);
}

/// The scores [B, K] of normalised queries against normalised references.
torch::Tensor vote(
    const torch::Tensor& queries,
    const LabelledFeatures& references,
    int64_t classes,
    const KnnOptions& options) {
  const auto count = std::min(options.k(), references.features.size(0));
  const auto similarity = queries.matmul(references.features.t());   // [B, N]
  const auto [nearest, places] = similarity.topk(count, /*dim=*/1);  // [B, k]
  // The softmax is the formula's weights over their sum, without its overflow at low temperatures.
  const auto weights = (nearest.to(torch::kDouble) / options.temperature()).softmax(1);
  const auto votes = references.targets.index_select(0, places.flatten()).view_as(places);
  return at::zeros({queries.size(0), classes}, weights.options())
      .scatter_add_(/*dim=*/1, votes, weights);  // [B, K]
}

}  // namespace

torch::Tensor knn_scores(
    const torch::Tensor& queries,
    const LabelledFeatures& references,
    int64_t classes,
    const KnnOptions& options) {
  check(references, classes, "reference features and classes");
  TORCH_CHECK_VALUE(
      queries.dim() == 2 && queries.scalar_type() == torch::kFloat &&
          queries.size(1) == references.features.size(1),
      "queries have to be float32 [B, ",
      references.features.size(1),
      "], but got ",
      queries.scalar_type(),
      " ",
      queries.sizes());
  TORCH_CHECK_VALUE(
      options.k() >= 1 && options.temperature() > 0,
      "k has to be at least 1 and temperature above 0, but got ",
      options.k(),
      " and ",
      options.temperature());
  const at::NoGradGuard no_grad;
  const LabelledFeatures known{normalised(references.features), references.targets};
  const auto step = std::max<int64_t>(kMostSimilarities / known.features.size(0), 1);
  std::vector<torch::Tensor> scores{
      at::empty({0, classes}, queries.options().dtype(torch::kDouble))};
  for (int64_t first = 0; first < queries.size(0); first += step) {
    const auto last = std::min(first + step, queries.size(0));
    scores.push_back(vote(normalised(queries.slice(0, first, last)), known, classes, options));
  }
  return at::cat(scores);
}

KnnAccuracy knn_accuracy(
    const LabelledFeatures& queries,
    const LabelledFeatures& references,
    int64_t classes,
    const KnnOptions& options) {
  check(queries, classes, "queries and their classes");
  const auto scores = knn_scores(queries.features, references, classes, options);
  const auto targets = queries.targets.unsqueeze(1);   // [B, 1]
  const auto own = scores.gather(/*dim=*/1, targets);  // [B, 1]
  const auto index = at::arange(classes, targets.options());
  const auto before = scores.gt(own).logical_or(scores.eq(own).logical_and(index.lt(targets)));
  const auto place = before.sum(/*dim=*/1);  // [B], from 0
  const auto voted = own.squeeze(1).gt(0);   // [B]
  const auto share = [&](int64_t first) {
    return voted.logical_and(place.lt(first)).to(torch::kDouble).mean().item<double>();
  };
  return {share(1), share(5)};
}

}  // namespace vitrine
