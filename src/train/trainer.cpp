#include "vitrine/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "vitrine/data/random.h"
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

/// A copy of `model` that starts the average of its weights.
std::shared_ptr<Classifier> make_average(const Classifier& model, torch::Device device) {
  detail::RandomScope random(device);  // building one draws weights, which are then overwritten
  auto average = std::dynamic_pointer_cast<Classifier>(model.clone(device));
  TORCH_CHECK_VALUE(average != nullptr, "a model has to be cloneable to be averaged");
  for (auto& parameter : average->parameters()) {
    parameter.set_requires_grad(false);
  }
  average->eval();
  return average;
}

/// The parameters of `model` less those of its heads.
std::vector<torch::Tensor> parameters_below_head(const Classifier& model) {
  const auto heads = model.classifier_names();
  std::vector<torch::Tensor> result;
  for (const auto& item : model.named_parameters()) {
    if (std::none_of(heads.begin(), heads.end(), [&](const std::string& head) {
          return item.key().rfind(head + ".", 0) == 0;
        })) {
      result.push_back(item.value());
    }
  }
  return result;
}

/// From what the random numbers of a batch follow: the update's number and the batch's place in it.
std::uint64_t batch_seed(std::uint64_t seed, int64_t update, int64_t part) {
  const auto first = mix_seed(seed, static_cast<std::uint64_t>(update), /*b=*/1);
  return part == 0 ? first : mix_seed(first, static_cast<std::uint64_t>(part));
}

}  // namespace

Trainer::Trainer(std::shared_ptr<Classifier> model, const TrainerOptions& options)
    : model_(moved(std::move(model), options.device())),
      options_(options),
      optimizer_(*model_, options.optimizer(), layer_lr_scales(*model_, options.layer_decay())) {
  check_options(options.schedule());
  check_options(options.loader());
  check_options(options.loss());
  check_class_weights(options.loss(), model_->num_classes());
  check_options(options.mixup());
  check_options(options.model_ema());
  TORCH_CHECK_VALUE(
      options.grad_accum_steps() >= 1,
      "grad_accum_steps has to be at least 1, but got ",
      options.grad_accum_steps());
  TORCH_CHECK_VALUE(
      options.clip_mode() == ClipMode::Norm || options.clip_grad() > 0,
      "clip_mode ",
      to_string(options.clip_mode()),
      " needs a clip_grad above 0");
  if (options.model_ema().model_ema()) {
    average_ = make_average(*model_, options.device());
  }
}

int64_t updates_per_epoch(std::size_t images, int64_t batch_size, int64_t grad_accum_steps) {
  TORCH_CHECK_VALUE(batch_size >= 1, "batch_size has to be at least 1, but got ", batch_size);
  TORCH_CHECK_VALUE(
      grad_accum_steps >= 1, "grad_accum_steps has to be at least 1, but got ", grad_accum_steps);
  const auto full = static_cast<int64_t>(images) / batch_size;
  return full > 0 ? (full - 1) / grad_accum_steps + 1 : 1;
}

std::optional<EpochReport> Trainer::train_epoch(
    ImageDataset data, int64_t epoch, const StepHandler& step) {
  const auto images = data.size().value();
  TORCH_CHECK_VALUE(images > 0, "dataset to train on has to have an image");
  const auto batches = updates_per_epoch(images, options_.loader().batch_size());
  auto loader_options = options_.loader();
  loader_options.drop_last(static_cast<int64_t>(images) >= loader_options.batch_size());
  data.set_epoch(epoch);
  Loader loader(std::move(data), ShuffleSampler(images, options_.seed(), epoch), loader_options);
  return train_batches(loader, batches, epoch, step);
}

std::optional<EpochReport> Trainer::train_batches(
    Loader& loader, int64_t batches, int64_t epoch, const StepHandler& step) {
  model_->train();
  detail::RandomScope random(options_.device());
  const auto accumulated = options_.grad_accum_steps();
  const auto updates = (batches - 1) / accumulated + 1;
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  RunningMean loss;
  EpochReport report{};
  std::vector<torch::Tensor> losses;  // of the batches of an update
  int64_t count = 0;                  // their images
  for (int64_t i = 0; auto batch = loader.next(); ++i) {
    const auto number = optimizer_.steps();
    const auto part = i % accumulated;
    const auto parts = std::min(accumulated, batches - (i - part));
    if (part == 0) {
      optimizer_.zero_grad();
      losses.clear();
      count = 0;
    }
    const auto seed = batch_seed(options_.seed(), number, part);
    random.seed(seed);
    losses.push_back(backward(*batch, seed, epoch, parts));
    count += batch->target.size(0);
    if (part + 1 < parts) {
      continue;
    }
    report.lr = learning_rate(options_.schedule(), number);
    const auto mean = update(losses, report.lr, epoch);
    loss.add(mean, count);
    report.images_per_second = static_cast<double>(loss.count()) / seconds();
    const auto done = i / accumulated + 1;
    if (step && !step({epoch, done, updates, mean, report.lr, report.images_per_second})) {
      return std::nullopt;
    }
  }
  report.loss = loss.value();
  report.data_wait = loader.waited().count() / seconds();
  return report;
}

/// Adds the gradients of a batch, one of `parts` in its update, and gives its loss.
torch::Tensor Trainer::backward(
    const torch::data::Example<>& batch, std::uint64_t seed, int64_t epoch, int64_t parts) {
  auto images = batch.data.to(options_.device());     // [B, C, H, W]
  auto targets = batch.target.to(options_.device());  // [B], or [B, K] where mixed
  if (mixes(options_.mixup(), epoch)) {
    auto generator = make_generator(mix_seed(seed, /*a=*/0, /*b=*/3));
    const auto drawn =
        draw_mixes(options_.mixup(), generator, images.size(0), images.size(2), images.size(3));
    const auto soft = soft_targets(targets, model_->num_classes(), options_.loss().smoothing());
    images = mix_images(images, drawn);
    targets = mix_targets(soft, drawn);
  }
  const auto loss = classification_loss(model_->forward(images), targets, options_.loss());
  (parts > 1 ? loss / parts : loss).backward();
  return loss.detach();
}

/// Clips the gradients and gives the norm they had.
torch::Tensor Trainer::clip() {
  const auto gradients = optimizer_.gradients();
  if (options_.clip_mode() == ClipMode::Norm) {
    return clip_gradients(gradients, options_.clip_grad());
  }
  auto norm = clip_gradients(gradients, /*max_norm=*/0);
  if (options_.clip_mode() == ClipMode::Value) {
    clip_gradient_values(gradients, options_.clip_grad());
  } else {
    clip_gradients_adaptively(parameters_below_head(*model_), options_.clip_grad());
  }
  return norm;
}

/// Updates the weights and their average from the gradients of batches with these losses; gives the
/// mean of the losses.
double Trainer::update(const std::vector<torch::Tensor>& losses, double lr, int64_t epoch) {
  const auto norm = clip();
  // One transfer for both, since each one waits for the device.
  const auto values =
      torch::stack({torch::stack(losses).mean(), norm}).to(torch::kCPU, torch::kFloat64);
  const auto step = optimizer_.steps() + 1;
  check_finite(values[0].item<double>(), "loss", epoch, step);
  check_finite(values[1].item<double>(), "norm of the gradients", epoch, step);
  optimizer_.step(lr);
  if (average_) {
    update_average(*average_, *model_, ema_decay(options_.model_ema(), optimizer_.steps()));
  }
  return values[0].item<double>();
}

}  // namespace vitrine
