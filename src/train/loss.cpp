#include "vitrine/train/loss.h"

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <cmath>
#include <numeric>

namespace vitrine {
namespace {

/// Cross entropy whose mean is over the weights [K] of a batch's classes [B].
torch::Tensor weighted_cross_entropy(
    const torch::Tensor& logits,
    const torch::Tensor& classes,
    const torch::Tensor& weights,
    double smoothing) {
  // Where these add up to 0, other weights take their place and the result is left out: its
  // gradient, which is times 0 then, has to be a number too. Nothing waits for the device.
  const auto counts = weights.index_select(0, classes).sum().gt(0);
  const auto loss = at::cross_entropy_loss(
      logits,
      classes,
      torch::where(counts, weights, torch::ones_like(weights)),
      at::Reduction::Mean,
      /*ignore_index=*/-100,
      smoothing);
  return torch::where(counts, loss, torch::zeros_like(loss));
}

}  // namespace

void check_options(const LossOptions& options) {
  TORCH_CHECK_VALUE(
      options.smoothing() >= 0 && options.smoothing() < 1,
      "smoothing has to be at least 0 and below 1, but got ",
      options.smoothing());
  const auto threshold = options.bce_target_thresh();
  TORCH_CHECK_VALUE(
      !threshold || (*threshold >= 0 && *threshold < 1),
      "bce_target_thresh has to be at least 0 and below 1, but got ",
      threshold.value_or(0));
  TORCH_CHECK_VALUE(
      options.bce_loss() || !options.bce_sum(), "bce_sum has no effect without bce_loss");
  TORCH_CHECK_VALUE(
      options.bce_loss() || !threshold, "bce_target_thresh has no effect without bce_loss");
  double sum = 0;
  for (const double weight : options.class_weights()) {
    TORCH_CHECK_VALUE(
        std::isfinite(weight) && weight >= 0,
        "class_weights have to be at least 0, but got ",
        weight);
    sum += weight;
  }
  TORCH_CHECK_VALUE(
      options.class_weights().empty() || sum > 0, "class_weights have to have one above 0");
}

void check_class_weights(const LossOptions& options, int64_t num_classes) {
  const auto count = static_cast<int64_t>(options.class_weights().size());
  TORCH_CHECK_VALUE(
      count == 0 || count == num_classes,
      "class_weights has to have one for each of the ",
      num_classes,
      " classes, but got ",
      count);
}

torch::Tensor classification_loss(
    const torch::Tensor& logits, const torch::Tensor& targets, const LossOptions& options) {
  const auto classes = logits.size(1);
  torch::Tensor weights;  // [K]
  if (!options.class_weights().empty()) {
    check_class_weights(options, classes);
    weights = torch::tensor(options.class_weights(), torch::kFloat64).to(logits.options());
  }
  const bool soft = targets.is_floating_point();
  if (!options.bce_loss() && !soft && weights.defined()) {
    return weighted_cross_entropy(logits, targets, weights, options.smoothing());
  }
  if (!options.bce_loss()) {
    return at::cross_entropy_loss(
        logits,
        targets,
        weights,
        at::Reduction::Mean,
        /*ignore_index=*/-100,
        soft ? 0.0 : options.smoothing());
  }
  auto goals = soft ? targets : soft_targets(targets, classes, options.smoothing());  // [B, K]
  if (options.bce_target_thresh()) {
    goals = goals.gt(*options.bce_target_thresh()).to(goals.scalar_type());
  }
  const auto reduction = options.bce_sum() ? at::Reduction::None : at::Reduction::Mean;
  const auto loss = at::binary_cross_entropy_with_logits(logits, goals, weights, {}, reduction);
  return options.bce_sum() ? loss.sum(1).mean() : loss;
}

torch::Tensor soft_targets(const torch::Tensor& classes, int64_t num_classes, double smoothing) {
  const double off = smoothing / static_cast<double>(num_classes);
  const auto options = classes.options().dtype(torch::kFloat32);
  return torch::full({classes.size(0), num_classes}, off, options)
      .scatter_(1, classes.unsqueeze(1), 1 - smoothing + off);
}

std::vector<double> balanced_class_weights(const std::vector<int64_t>& images) {
  const auto all = std::accumulate(images.begin(), images.end(), int64_t{0});
  std::vector<double> weights;
  for (const auto count : images) {
    TORCH_CHECK_VALUE(
        count >= 1,
        "every class has to have an image for weights to balance them, but got ",
        count);
    weights.push_back(
        static_cast<double>(all) /
        (static_cast<double>(images.size()) * static_cast<double>(count)));
  }
  return weights;
}

}  // namespace vitrine
