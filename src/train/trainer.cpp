#include "vitrine/train/trainer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/data/sampler.h"
#include "vitrine/layers/grad_checkpointing.h"
#include "vitrine/train/layer_decay.h"

#include "train/planned_data.h"
#include "train/random_scope.h"
#include "train/trainer_epoch.h"

namespace vitrine {
namespace {

/// In which order images [B, C, H, W] and weights of convolutions lie in memory.
torch::MemoryFormat memory_format(const TrainerOptions& options) {
  return options.channels_last() ? torch::MemoryFormat::ChannelsLast
                                 : torch::MemoryFormat::Contiguous;
}

std::shared_ptr<Classifier> moved(
    std::shared_ptr<Classifier> model, const TrainerOptions& options) {
  TORCH_CHECK_VALUE(model != nullptr, "there has to be a model to train");
  model->to(options.device());
  for (auto& parameter : model->parameters()) {
    if (options.channels_last() && parameter.dim() == 4) {
      parameter.set_data(parameter.data().contiguous(memory_format(options)));
    }
  }
  return model;
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

/// A loss is not taken in half precision; of a float64 model it stays float64.
torch::Tensor at_least_float32(const torch::Tensor& logits) {
  return at::isReducedFloatingType(logits.scalar_type()) ? logits.to(torch::kFloat32) : logits;
}

/// From what the random numbers of a batch follow: the update's number and the batch's place in it.
std::uint64_t batch_seed(std::uint64_t seed, int64_t update, int64_t part) {
  const auto first = mix_seed(seed, static_cast<std::uint64_t>(update), /*b=*/1);
  return part == 0 ? first : mix_seed(first, static_cast<std::uint64_t>(part));
}

}  // namespace

Trainer::Trainer(std::shared_ptr<Classifier> model, const TrainerOptions& options)
    : model_(moved(std::move(model), options)),
      options_(options),
      optimizer_(*model_, options.optimizer(), layer_lr_scales(*model_, options.layer_decay())) {
  check_options(options.schedule());
  check_options(options.loader());
  check_options(options.loss());
  check_class_weights(options.loss(), model_->num_classes());
  check_options(options.distillation());
  TORCH_CHECK_VALUE(
      (options.distillation().distillation_type() != DistillationType::None) ==
          static_cast<bool>(options.teacher()),
      "a distillation needs a teacher, and a teacher a distillation_type, soft or hard");
  check_options(options.mixup());
  check_options(options.multi_scale());
  check_options(options.model_ema());
  check_options(options.grad_scaler());
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
  if (options.precision() == Precision::Fp16) {
    scaler_.emplace(options.device(), options.grad_scaler());
  }
}

int64_t Trainer::updates() const {
  return optimizer_.steps() + (scaler_ ? scaler_->skipped_updates() : 0);
}

int64_t updates_per_epoch(std::size_t images, int64_t batch_size, int64_t grad_accum_steps) {
  TORCH_CHECK_VALUE(batch_size >= 1, "batch_size has to be at least 1, but got ", batch_size);
  TORCH_CHECK_VALUE(
      grad_accum_steps >= 1, "grad_accum_steps has to be at least 1, but got ", grad_accum_steps);
  const auto full = static_cast<int64_t>(images) / batch_size;
  return full > 0 ? (full - 1) / grad_accum_steps + 1 : 1;
}

std::optional<EpochReport> Trainer::train_epoch(
    ImageDataset data, int64_t epoch, const StepHandler& step, const EpochProgress& done) {
  const auto own = data.size().value();
  TORCH_CHECK_VALUE(own > 0, "dataset to train on has to have an image");
  TORCH_CHECK_VALUE(
      data.scales() == options_.multi_scale().sides().size(),
      "dataset has to have a scale for each of the ",
      options_.multi_scale().sides().size(),
      " sides of multi_scale, but has ",
      data.scales());
  const auto images = examples_per_epoch(own, options_.aug_repeats());
  const auto size = options_.loader().batch_size();
  auto plan = std::make_shared<detail::PlannedOrder>();
  plan->order =
      ShuffleSampler(own, options_.seed(), epoch, options_.aug_repeats()).next(images).value();
  plan->batches = plan_epoch(EpochPlanOptions()
                                 .images(images)
                                 .batch_size(size)
                                 .grad_accum_steps(options_.grad_accum_steps())
                                 .multi_scale(options_.multi_scale())
                                 .seed(options_.seed())
                                 .epoch(epoch));
  data.set_epoch(epoch);
  Epoch rest{
      epoch,
      std::move(data),
      std::move(plan),
      done,
      updates_per_epoch(images, size, options_.grad_accum_steps())};
  return train_batches(rest, step);
}

std::optional<EpochReport> Trainer::train_batches(Epoch& epoch, const StepHandler& step) {
  model_->train();
  detail::RandomScope random(options_.device());
  auto i = epoch.begin();
  auto loading = options_.loader();
  BatchLoader<detail::PlannedDataset, detail::PlannedSampler> loader(
      {epoch.data, epoch.plan}, {epoch.plan, i}, loading.drop_last(false));
  const auto& progress = epoch.progress;
  const detail::Pace pace(progress);
  std::vector<torch::Tensor> losses;  // of the batches of an update
  std::vector<std::size_t> places;    // of their images
  for (; auto batch = loader.next(); ++i) {
    const auto number = updates();
    const auto& planned = epoch.plan->batches[i];
    if (planned.part == 0) {
      optimizer_.zero_grad();
      losses.clear();
      places.clear();
    }
    const auto seed = batch_seed(options_.seed(), number, planned.part);
    random.seed(seed);
    losses.push_back(backward(*batch, seed, epoch.number, planned.parts));
    epoch.append_places(planned, places);
    if (planned.part + 1 < planned.parts) {
      continue;
    }
    const auto found = measure(losses);
    epoch.check(found, number + 1, places);
    const auto lr = learning_rate(options_.schedule(), epoch.scheduled(progress.updates));
    update(lr, found.overflowed);
    epoch.count(found, places.size(), pace.total_seconds());
    if (step && !step(epoch.report(found, lr, pace, loader.waited()))) {
      return std::nullopt;
    }
  }
  return EpochReport{
      progress.mean_loss(),
      learning_rate(options_.schedule(), epoch.scheduled(progress.updates - 1)),
      static_cast<double>(progress.images) / progress.seconds,
      pace.share_waited(progress, loader.waited()),
      progress.skipped_updates};
}

/// The loss of images [B, C, H, W], a scalar.
torch::Tensor Trainer::find_loss(const torch::Tensor& images, const torch::Tensor& targets) {
  std::vector<torch::Tensor> logits;  // of each head that has a part in the loss, [B, K]
  {
    const PrecisionScope scope(options_.precision(), options_.device().type());
    const GradCheckpointing checkpointing(options_.grad_checkpointing());
    logits = options_.teacher() ? model_->forward_heads(model_->forward_features(images))
                                : std::vector<torch::Tensor>{model_->forward(images)};
  }
  auto loss = classification_loss(at_least_float32(logits.front()), targets, options_.loss());
  if (!options_.teacher()) {
    return loss;
  }
  const auto taught = distillation_loss(
      at_least_float32(logits.back()), options_.teacher()(images), options_.distillation());
  const auto alpha = options_.distillation().distillation_alpha();
  return loss * (1 - alpha) + taught * alpha;
}

/// Adds the gradients of a batch, one of `parts` in its update, and gives its loss.
torch::Tensor Trainer::backward(
    const torch::data::Example<>& batch, std::uint64_t seed, int64_t epoch, int64_t parts) {
  const auto dtype = model_->parameters().front().scalar_type();
  auto images = batch.data.to(options_.device(), dtype, /*non_blocking=*/true)
                    .contiguous(memory_format(options_));  // [B, C, H, W]
  auto targets =
      batch.target.to(options_.device(), /*non_blocking=*/true);  // [B], [B, K] where mixed
  if (mixes(options_.mixup(), epoch)) {
    auto generator = make_generator(mix_seed(seed, /*a=*/0, /*b=*/3));
    const auto drawn =
        draw_mixes(options_.mixup(), generator, images.size(0), images.size(2), images.size(3));
    const auto soft = soft_targets(targets, model_->num_classes(), options_.loss().smoothing());
    images = mix_images(images, drawn);
    targets = mix_targets(soft, drawn);
  }
  const auto loss = find_loss(images, targets);
  const auto share = parts > 1 ? loss / parts : loss;
  (scaler_ ? scaler_->scale(share) : share).backward();
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

/// Clips the gradients of batches with these losses, and gives the mean of the losses and the norm
/// that the gradients had; where they are scaled, takes the scale off first.
Trainer::Measured Trainer::measure(const std::vector<torch::Tensor>& losses) {
  const auto mean = torch::stack(losses).mean();
  const auto overflowed =
      scaler_ ? scaler_->unscale(optimizer_.gradients(), mean) : torch::zeros_like(mean);
  const auto norm = clip();
  // One transfer for all, since each one waits for the device.
  const auto values = torch::stack({mean, norm, overflowed}).to(torch::kCPU, torch::kFloat64);
  const bool found_inf = values[2].item<double>() != 0;
  // A scale below 1 hardly makes gradients overflow: such a training has gone wrong, and ends here
  // instead of leaving out updates for ever.
  const bool skips = found_inf && scaler_->state().scale >= 1;
  return {values[0].item<double>(), values[1].item<double>(), skips};
}

/// Updates the weights from their gradients, and the average from the weights, unless `skipped`;
/// the scale of the gradients in any case.
void Trainer::update(double lr, bool skipped) {
  if (scaler_) {
    scaler_->update(skipped);
  }
  if (skipped) {
    return;
  }
  optimizer_.step(lr);
  if (average_) {
    update_average(*average_, *model_, ema_decay(options_.model_ema(), optimizer_.steps()));
  }
}

}  // namespace vitrine
