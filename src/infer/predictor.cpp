#include "vitrine/infer/predictor.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/image/image.h"
#include "vitrine/image/preprocess.h"
#include "vitrine/weights/model_file.h"

namespace vitrine {
namespace {

/// Classes in the order of an answer: the `top_k` with the highest of `scores`, or all by index. Of
/// equal scores the lower index comes first.
std::vector<int64_t> ranking(const double* scores, int64_t classes, int64_t top_k) {
  std::vector<int64_t> order(classes);
  std::iota(order.begin(), order.end(), 0);
  if (top_k > 0) {
    const auto count = std::min(top_k, classes);
    std::partial_sort(
        order.begin(), order.begin() + count, order.end(), [scores](int64_t a, int64_t b) {
          return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
        });
    order.resize(count);
  }
  return order;
}

void check_finite(const torch::Tensor& answer) {
  if (!answer.isfinite().all().item<bool>()) {
    throw Error(
        "the model answers with infinities or NaN; its weights or the preprocessing are damaged");
  }
}

}  // namespace

Predictor::Predictor(
    std::shared_ptr<Classifier> model, ModelCard card, torch::Device device, Precision precision)
    : model_(std::move(model)), card_(std::move(card)), device_(device), precision_(precision) {
  TORCH_CHECK_VALUE(model_ != nullptr, "a predictor needs a model, got none");
  const auto labels = static_cast<int64_t>(card_.labels.size());
  TORCH_CHECK_VALUE(
      labels == 0 || labels == model_->num_classes(),
      "a model of ",
      model_->num_classes(),
      " classes needs as many labels, got ",
      labels);
  model_->eval();
  model_->to(device_);
}

Predictor Predictor::from_file(const std::string& path, torch::Device device) {
  auto loaded = load_model(path);
  return {std::move(loaded.model), std::move(loaded.card), device};
}

std::vector<Prediction> Predictor::classify(const std::string& path, int64_t top_k) const {
  return classify(read_image(path), top_k);
}

std::vector<Prediction> Predictor::classify(
    const std::vector<std::uint8_t>& bytes, int64_t top_k) const {
  return classify(decode_image(bytes.data(), bytes.size()), top_k);
}

std::vector<Prediction> Predictor::classify(const torch::Tensor& image, int64_t top_k) const {
  return classify_batch(preprocess(image, card_.preprocess).unsqueeze(0), top_k).front();
}

std::vector<std::vector<Prediction>> Predictor::classify_batch(
    const torch::Tensor& batch, int64_t top_k) const {
  TORCH_CHECK_VALUE(top_k >= 0, "top_k must be 0 (every class) or more, got ", top_k);
  const auto classes = model_->num_classes();
  TORCH_CHECK_VALUE(classes > 0, "the model has no head, so it names no classes");
  const auto scores = logits(batch).to(torch::kDouble).contiguous();  // [B, K]
  check_finite(scores);
  const auto probabilities = scores.softmax(-1).contiguous();  // [B, K]
  std::vector<std::vector<Prediction>> answers(scores.size(0));
  for (int64_t b = 0; b < scores.size(0); ++b) {
    const auto* score = scores.data_ptr<double>() + b * classes;
    const auto* probability = probabilities.data_ptr<double>() + b * classes;
    for (const auto k : ranking(score, classes, top_k)) {
      auto label = card_.labels.empty() ? std::to_string(k) : card_.labels[k];
      answers[b].push_back({k, std::move(label), probability[k], score[k]});
    }
  }
  return answers;
}

torch::Tensor Predictor::logits(const torch::Tensor& batch) const {
  // No InferenceMode: what a module keeps from such a pass could never be trained with, and the
  // model belongs to the caller too.
  const at::NoGradGuard no_grad;
  const PrecisionScope scope(precision_, device_.type());
  return model_->forward(to_model(batch)).to(torch::kCPU, torch::kFloat);
}

torch::Tensor Predictor::features(const torch::Tensor& batch) const {
  const at::NoGradGuard no_grad;
  const PrecisionScope scope(precision_, device_.type());
  const auto features = model_->forward_features(to_model(batch));
  auto pooled =
      model_->forward_head(features, /*pre_logits=*/true).to(torch::kCPU, torch::kFloat);  // [B, C]
  check_finite(pooled);
  return pooled;
}

torch::Tensor Predictor::to_model(const torch::Tensor& batch) const {
  TORCH_CHECK_VALUE(
      batch.dim() == 4 && batch.size(1) == model_->in_chans() && batch.is_floating_point(),
      "a batch must be floating point [B, ",
      model_->in_chans(),
      ", H, W], got ",
      batch.scalar_type(),
      " ",
      batch.sizes());
  return batch.to(device_, torch::kFloat);
}

}  // namespace vitrine
