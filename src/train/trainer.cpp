#include "vitrine/train/trainer.h"

#include <torch/nn/functional/loss.h>

#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/data/sampler.h"
#include "vitrine/error.h"
#include "vitrine/train/layer_decay.h"
#include "vitrine/train/metrics.h"

#include "train/random_scope.h"

namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;

std::shared_ptr<Classifier> moved(std::shared_ptr<Classifier> model, torch::Device device) {
  TORCH_CHECK_VALUE(model != nullptr, "there has to be a model to train");
  model->to(device);
  return model;
}

void check_finite(double value, const char* what, int64_t epoch, int64_t step) {
  if (!std::isfinite(value)) {
    throw Error(
        "training stopped in epoch " + std::to_string(epoch) + ", before update " +
        std::to_string(step) + ": the " + what + " is " + (std::isnan(value) ? "NaN" : "infinite") +
        "; a lower learning rate, a longer warm-up or gradient clipping may help");
  }
}

}  // namespace

Trainer::Trainer(std::shared_ptr<Classifier> model, const TrainerOptions& options)
    : model_(moved(std::move(model), options.device())),
      options_(options),
      optimizer_(*model_, options.optimizer(), layer_lr_scales(*model_, options.layer_decay())) {
  check_options(options.schedule());
  check_options(options.loader());
  TORCH_CHECK_VALUE(
      options.smoothing() >= 0 && options.smoothing() < 1,
      "smoothing has to be at least 0 and below 1, but got ",
      options.smoothing());
}

int64_t updates_per_epoch(std::size_t images, int64_t batch_size) {
  TORCH_CHECK_VALUE(batch_size >= 1, "batch_size has to be at least 1, but got ", batch_size);
  const auto full = static_cast<int64_t>(images) / batch_size;
  return full > 0 ? full : 1;
}

std::optional<EpochReport> Trainer::train_epoch(
    ImageDataset data, int64_t epoch, const StepHandler& step) {
  const auto images = data.size().value();
  TORCH_CHECK_VALUE(images > 0, "dataset to train on has to have an image");
  const auto batches = updates_per_epoch(images, options_.loader().batch_size());
  auto loader_options = options_.loader();
  loader_options.drop_last(static_cast<int64_t>(images) >= loader_options.batch_size());
  data.set_epoch(epoch);
  model_->train();
  detail::RandomScope random(options_.device());
  BatchLoader loader(
      std::move(data), ShuffleSampler(images, options_.seed(), epoch), loader_options);

  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  RunningMean loss;
  EpochReport report{};
  for (int64_t i = 1; auto batch = loader.next(); ++i) {
    const auto number = optimizer_.steps();
    random.seed(mix_seed(options_.seed(), static_cast<std::uint64_t>(number), /*b=*/1));
    report.lr = learning_rate(options_.schedule(), number);
    const auto batch_loss = update(*batch, report.lr, epoch);
    loss.add(batch_loss, batch->target.size(0));
    report.images_per_second = static_cast<double>(loss.count()) / seconds();
    if (step && !step(
                    {epoch,
                     i,
                     batches,
                     batch_loss,
                     report.lr,
                     report.images_per_second,
                     loss.value(),
                     loader.waited().count() / seconds()})) {
      return std::nullopt;
    }
  }
  report.loss = loss.value();
  report.data_wait = loader.waited().count() / seconds();
  return report;
}

double Trainer::update(const torch::data::Example<>& batch, double lr, int64_t epoch) {
  optimizer_.zero_grad();
  const auto logits = model_->forward(batch.data.to(options_.device()));  // [B, K]
  const auto loss = torch::nn::functional::cross_entropy(
      logits,
      batch.target.to(options_.device()),
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options_.smoothing()));
  loss.backward();
  const auto norm = clip_gradients(optimizer_.gradients(), options_.clip_grad());
  // One transfer for both, since each one waits for the device.
  const auto values = torch::stack({loss.detach(), norm}).to(torch::kCPU, torch::kFloat64);
  const auto step = optimizer_.steps() + 1;
  check_finite(values[0].item<double>(), "loss", epoch, step);
  check_finite(values[1].item<double>(), "norm of the gradients", epoch, step);
  optimizer_.step(lr);
  return values[0].item<double>();
}

}  // namespace vitrine
