#include "vitrine/train/metrics.h"

#include <algorithm>

namespace vitrine {
namespace {

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

int64_t count_correct(const torch::Tensor& logits, const torch::Tensor& targets, int64_t k) {
  TORCH_CHECK_VALUE(
      logits.dim() == 2 && targets.dim() == 1 && logits.size(0) == targets.size(0) && k >= 1,
      "logits [B, K] and targets [B] have to agree and k has to be at least 1, but got ",
      logits.sizes(),
      ", ",
      targets.sizes(),
      " and ",
      k);
  const auto top = std::get<1>(logits.topk(std::min(k, logits.size(1)), /*dim=*/1));  // [B, k]
  return top.eq(targets.unsqueeze(1)).any(/*dim=*/1).sum().item<int64_t>();
}

ConfusionMatrix::ConfusionMatrix(int64_t classes) {
  TORCH_CHECK_VALUE(classes >= 1, "number of classes has to be at least 1, but got ", classes);
  counts_ = torch::zeros({classes, classes}, torch::kInt64);
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
  auto counts = counts_.accessor<int64_t, 2>();
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
    ++counts[row[i]][column[i]];
  }
}

std::vector<ClassScores> ConfusionMatrix::scores() const {
  const auto counts = counts_.accessor<int64_t, 2>();
  const auto classes = counts_.size(0);
  std::vector<ClassScores> result(static_cast<std::size_t>(classes));
  for (int64_t i = 0; i < classes; ++i) {
    int64_t of_class = 0;
    int64_t taken_for = 0;
    for (int64_t j = 0; j < classes; ++j) {
      of_class += counts[i][j];
      taken_for += counts[j][i];
    }
    auto& scores = result[static_cast<std::size_t>(i)];
    scores.precision = ratio(counts[i][i], taken_for);
    scores.recall = ratio(counts[i][i], of_class);
    scores.f1 = ratio(2 * counts[i][i], of_class + taken_for);
    scores.images = of_class;
  }
  return result;
}

}  // namespace vitrine
