#include "vitrine/train/metrics.h"

#include <algorithm>
#include <limits>

#include "train/confusion_cells.h"

namespace vitrine {
namespace {

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<detail::ConfusionCell> detail::cells_of(const torch::Tensor& counts) {
  const auto indices = counts.indices();  // [2, N]
  const auto place = indices.accessor<int64_t, 2>();
  const auto values = counts.values();  // [N]
  const auto images = values.accessor<int64_t, 1>();
  std::vector<ConfusionCell> cells;
  for (int64_t i = 0; i < images.size(0); ++i) {
    cells.push_back({place[0][i], place[1][i], images[i]});
  }
  return cells;
}

int64_t count_correct(const torch::Tensor& logits, const torch::Tensor& targets, int64_t k) {
  TORCH_CHECK_VALUE(
      logits.dim() == 2 && targets.dim() == 1 && logits.size(0) == targets.size(0) && k >= 1,
      "logits [B, K] and targets [B] have to agree and k has to be at least 1, but got ",
      logits.sizes(),
      ", ",
      targets.sizes(),
      " and ",
      k);
  constexpr auto kLowest = -std::numeric_limits<double>::infinity();
  const auto target = targets.unsqueeze(1);                            // [B, 1]
  const auto index = torch::arange(logits.size(1), target.options());  // [K]
  const auto own =
      logits.masked_fill(index.ne(target), kLowest).amax(/*dim=*/1, /*keepdim=*/true);  // [B, 1]
  // Which of equal logits `topk` takes is left open; `argmax`, by which a class is told, takes the
  // first one.
  const auto before =
      logits.le(own).logical_not().logical_or(logits.eq(own).logical_and(index.lt(target)));
  const auto place = before.sum(/*dim=*/1);  // [B], from 0
  return place.lt(std::min(k, logits.size(1))).sum().item<int64_t>();
}

ConfusionMatrix::ConfusionMatrix(int64_t classes) {
  TORCH_CHECK_VALUE(classes >= 1, "number of classes has to be at least 1, but got ", classes);
  counts_ = torch::zeros({classes, classes}, torch::dtype(torch::kInt64).layout(torch::kSparse))
                .coalesce();
}

void ConfusionMatrix::add(const torch::Tensor& predicted, const torch::Tensor& targets) {
  TORCH_CHECK_VALUE(
      predicted.dim() == 1 && predicted.sizes() == targets.sizes(),
      "predicted and true classes have to be [B] both, but got ",
      predicted.sizes(),
      " and ",
      targets.sizes());
  const auto classes = counts_.size(0);
  const auto p = predicted.to(torch::kCPU, torch::kInt64).contiguous();
  const auto t = targets.to(torch::kCPU, torch::kInt64).contiguous();
  const auto* const column = p.const_data_ptr<int64_t>();
  const auto* const row = t.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < p.numel(); ++i) {
    TORCH_CHECK_VALUE(
        row[i] >= 0 && row[i] < classes && column[i] >= 0 && column[i] < classes,
        "class has to be between 0 and ",
        classes - 1,
        ", but got ",
        row[i],
        " taken for ",
        column[i]);
  }
  // Coalescing adds up the ones of a place.
  counts_ = torch::sparse_coo_tensor(
                torch::cat({counts_.indices(), torch::stack({t, p})}, /*dim=*/1),
                torch::cat({counts_.values(), torch::ones_like(t)}),
                counts_.sizes())
                .coalesce();
}

std::vector<ClassScores> ConfusionMatrix::scores() const {
  std::vector<ClassScores> result(static_cast<std::size_t>(counts_.size(0)));
  std::vector<int64_t> right(result.size());
  std::vector<int64_t> taken_for(result.size());
  for (const auto& cell : detail::cells_of(counts_)) {
    const auto target = static_cast<std::size_t>(cell.target);
    result[target].images += cell.images;
    right[target] += cell.target == cell.predicted ? cell.images : 0;
    taken_for[static_cast<std::size_t>(cell.predicted)] += cell.images;
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    auto& scores = result[i];
    scores.precision = ratio(right[i], taken_for[i]);
    scores.recall = ratio(right[i], scores.images);
    scores.f1 = ratio(2 * right[i], scores.images + taken_for[i]);
  }
  return result;
}

}  // namespace vitrine
