#include "vitrine/train/evaluator.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/logaddexp.h>
#include <torch/data/samplers/sequential.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "vitrine/error.h"

namespace vitrine {
namespace {

/// Puts a module into evaluation mode, and back on destruction.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module)
      : module_(module), training_(module.is_training()) {
    module_.eval();
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;
  ~EvaluationMode() { module_.train(training_); }

 private:
  torch::nn::Module& module_;
  bool training_;
};

void keep_worst(std::vector<Mistake>& mistakes, int64_t count) {
  // The index decides between equal losses, so that the list is always the same.
  std::sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) {
    return a.loss != b.loss ? a.loss > b.loss : a.index < b.index;
  });
  mistakes.resize(std::min(mistakes.size(), static_cast<std::size_t>(count)));
}

/// Logits [B, K] of images [B, 3, H, W], float32 on the CPU; with `hflip`, the logarithms of the
/// mean probabilities, whose softmax they are.
torch::Tensor answer(
    Classifier& model, const torch::Tensor& images, const EvaluateOptions& options) {
  const auto forward = [&](const torch::Tensor& x) {
    const PrecisionScope scope(options.precision(), options.device().type());
    return model.forward(x).to(torch::kFloat32);
  };
  const auto logits = forward(images);
  if (!options.hflip()) {
    return logits.to(torch::kCPU);
  }
  const auto mirrored = forward(images.flip(/*dims=*/3));
  return (at::logaddexp(logits.log_softmax(1), mirrored.log_softmax(1)) - std::log(2.0))
      .to(torch::kCPU);
}

/// Adds the answers [B, K] for the images with these places in the dataset [B] and classes [B].
void add_batch(
    Evaluation& result,
    const torch::Tensor& logits,
    const torch::Tensor& places,
    const torch::Tensor& targets,
    int64_t most_mistakes) {
  if (!logits.isfinite().all().item<bool>()) {
    throw Error(
        "the model answers with infinities or NaN; its weights or the preprocessing are damaged");
  }
  const auto losses = at::cross_entropy_loss(logits, targets, {}, at::Reduction::None);  // [B]
  // Of the logits, not of the probabilities, which may be equal where logits are not.
  const auto predicted = logits.argmax(/*dim=*/1);  // [B]
  const auto probability =
      logits.softmax(1).gather(/*dim=*/1, predicted.unsqueeze(1)).squeeze(1);  // [B]
  result.confusion.add(predicted, targets);
  for (int64_t i = 0; i < targets.size(0); ++i) {
    const auto target = targets[i].item<int64_t>();
    const auto answer = predicted[i].item<int64_t>();
    const auto loss = losses[i].item<double>();
    result.loss += loss;
    if (answer != target) {
      result.mistakes.push_back(
          {static_cast<std::size_t>(places[i].item<int64_t>()),
           target,
           answer,
           probability[i].item<double>(),
           loss});
    }
  }
  result.images += targets.size(0);
  result.top1 += static_cast<double>(count_correct(logits, targets, 1));
  result.top5 += static_cast<double>(count_correct(logits, targets, 5));
  keep_worst(result.mistakes, most_mistakes);
}

}  // namespace

std::optional<Evaluation> evaluate(
    Classifier& model,
    const ImageDataset& data,
    const EvaluateOptions& options,
    const EvaluateProgress& progress) {
  const auto size = data.size().value();
  TORCH_CHECK_VALUE(size > 0, "dataset to evaluate on has to have an image");
  TORCH_CHECK_VALUE(
      options.mistakes() >= 0, "mistakes has to be at least 0, but got ", options.mistakes());
  for (const auto& sample : data.samples()) {
    TORCH_CHECK_VALUE(
        sample.label >= 0 && sample.label < model.num_classes(),
        "class of an image has to be below the model's ",
        model.num_classes(),
        " classes, but got ",
        sample.label);
  }
  const torch::NoGradGuard no_grad;
  const EvaluationMode evaluation_mode(model);
  Evaluation result;
  result.confusion = ConfusionMatrix(model.num_classes());
  BatchLoader loader(data, torch::data::samplers::SequentialSampler(size), options.loader());
  const auto total = static_cast<int64_t>(size);
  int64_t done = 0;
  while (auto batch = loader.next()) {
    const auto logits =
        answer(model, batch->data.to(options.device(), /*non_blocking=*/true), options);  // [B, K]
    const auto read = batch->target.ge(0).nonzero().squeeze(1);  // [B], without bad images
    add_batch(
        result,
        logits.index_select(0, read),
        read + done,
        batch->target.index_select(0, read),
        options.mistakes());
    done += batch->target.size(0);
    if (progress && !progress(done, total)) {
      return std::nullopt;
    }
  }
  const auto count = static_cast<double>(std::max<int64_t>(result.images, 1));
  result.loss /= count;
  result.top1 /= count;
  result.top5 /= count;
  return result;
}

}  // namespace vitrine
