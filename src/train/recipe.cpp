#include <algorithm>
#include <cmath>

#include "vitrine/data/loader.h"
#include "vitrine/train/epoch_plan.h"
#include "vitrine/train/train_options.h"

#include "name_table.h"

// What options of a training mean together: their checks, and what follows from them.

namespace vitrine {
namespace {

const detail::NameTable<EvalMetric>& metrics() {
  static const detail::NameTable<EvalMetric> table = {
      {EvalMetric::Top1, "top1"}, {EvalMetric::Loss, "loss"}};
  return table;
}

const detail::NameTable<LrBaseScale>& scales() {
  static const detail::NameTable<LrBaseScale> table = {
      {LrBaseScale::Auto, "auto"}, {LrBaseScale::Linear, "linear"}, {LrBaseScale::Sqrt, "sqrt"}};
  return table;
}

void check_epochs(const char* name, int64_t epochs, int64_t least) {
  TORCH_CHECK_VALUE(
      epochs >= least && epochs <= kMostEpochs,
      name,
      " has to be between ",
      least,
      " and ",
      kMostEpochs,
      ", but got ",
      epochs);
}

void check_teaching(const TrainOptions& options) {
  check_options(options.distillation());
  TORCH_CHECK_VALUE(
      options.teacher().empty() ==
          (options.distillation().distillation_type() == DistillationType::None),
      options.teacher().empty() ? "a distillation_type needs a teacher"
                                : "a teacher needs a distillation_type, soft or hard");
}

void check_schedule(const TrainOptions& options) {
  check_epochs("epochs", options.epochs(), 1);
  check_epochs("warmup_epochs", options.warmup_epochs(), 0);
  check_epochs("cooldown_epochs", options.cooldown_epochs(), 0);
  for (const auto milestone : options.decay_milestones()) {
    check_epochs("decay_milestones", milestone, 0);
  }
  TORCH_CHECK_VALUE(
      !options.lr_base() || (std::isfinite(*options.lr_base()) && *options.lr_base() >= 0),
      "lr_base has to be at least 0, but got ",
      options.lr_base().value_or(0));
  TORCH_CHECK_VALUE(
      options.lr_base_size() >= 1,
      "lr_base_size has to be at least 1, but got ",
      options.lr_base_size());
  TORCH_CHECK_VALUE(
      options.cooldown_epochs() == 0 || ends_at_min_lr(options.sched()),
      "cooldown_epochs needs a schedule that ends at min_lr, cosine, linear, poly or tanh, but "
      "sched "
      "is ",
      to_string(options.sched()));
  check_options(make_schedule(options, 1));
  if (options.sched() == ScheduleKind::Plateau) {
    check_options(make_plateau(options));
  }
}

void check_clipping(const TrainOptions& options) {
  TORCH_CHECK_VALUE(
      std::isfinite(options.clip_grad()) && options.clip_grad() >= 0,
      "clip_grad has to be at least 0, but got ",
      options.clip_grad());
  TORCH_CHECK_VALUE(
      options.clip_mode() == ClipMode::Norm || options.clip_grad() > 0,
      "clip_mode ",
      to_string(options.clip_mode()),
      " needs a clip_grad above 0");
}

/// The images, those that may be skipped, and what is kept of the run.
void check_data_and_output(const TrainOptions& options) {
  TORCH_CHECK_VALUE(
      options.save_every() >= 0, "save_every has to be at least 0, but got ", options.save_every());
  TORCH_CHECK_VALUE(options.keep() >= 1, "keep has to be at least 1, but got ", options.keep());
  TORCH_CHECK_VALUE(!options.data().empty(), "data has to name a folder or a list");
  TORCH_CHECK_VALUE(
      options.val_fraction() >= 0 && options.val_fraction() < 1,
      "val_fraction has to be at least 0 and below 1, but got ",
      options.val_fraction());
  TORCH_CHECK_VALUE(
      options.max_bad_images() >= 0,
      "max_bad_images has to be at least 0, but got ",
      options.max_bad_images());
  TORCH_CHECK_VALUE(!options.output().empty(), "output has to name a folder");
}

}  // namespace

std::string to_string(EvalMetric metric) {
  return detail::name_of(metrics(), metric);
}

EvalMetric parse_eval_metric(const std::string& name) {
  return detail::value_of(metrics(), "metric", name);
}

std::string to_string(LrBaseScale scale) {
  return detail::name_of(scales(), scale);
}

LrBaseScale parse_lr_base_scale(const std::string& name) {
  return detail::value_of(scales(), "scale of the learning rate", name);
}

void check_options(const TrainOptions& options) {
  check_options(options.optimizer());
  check_options(options.augment());
  check_options(options.loss());
  TORCH_CHECK_VALUE(
      options.aug_repeats() == 0 || (options.aug_repeats() >= 1 && options.aug_repeats() <= 1000),
      "aug_repeats has to be 0 or between 1 and 1000, but got ",
      options.aug_repeats());
  check_options(MultiScaleOptions().sides(options.multi_scale()));
  check_teaching(options);
  check_options(options.mixup());
  check_options(options.model_ema());
  TORCH_CHECK_VALUE(
      options.layer_decay() > 0 && options.layer_decay() <= 1,
      "layer_decay has to be above 0 and at most 1, but got ",
      options.layer_decay());
  check_schedule(options);
  if (options.preprocess()) {
    preprocess(torch::zeros({1, 1, 3}, torch::kUInt8), *options.preprocess());
  }
  check_clipping(options);
  TORCH_CHECK_VALUE(
      !options.balance_classes() || options.loss().class_weights().empty(),
      "balance_classes and class_weights exclude each other");
  TORCH_CHECK_VALUE(
      options.grad_accum_steps() >= 1 && options.grad_accum_steps() <= kMostEpochs,
      "grad_accum_steps has to be between 1 and ",
      kMostEpochs,
      ", but got ",
      options.grad_accum_steps());
  check_options(LoaderOptions().batch_size(options.batch_size()).workers(options.workers()));
  check_data_and_output(options);
}

int64_t total_epochs(const TrainOptions& options) {
  return options.epochs() + (options.warmup_prefix() ? options.warmup_epochs() : 0) +
         options.cooldown_epochs();
}

double peak_lr(const TrainOptions& options) {
  if (!options.lr_base()) {
    return options.lr();
  }
  const double images =
      static_cast<double>(options.batch_size()) * static_cast<double>(options.grad_accum_steps());
  const double ratio = images / static_cast<double>(options.lr_base_size());
  const auto scale = options.lr_base_scale();
  const bool root = scale == LrBaseScale::Auto ? options.optimizer().opt() != OptimizerKind::Sgd
                                               : scale == LrBaseScale::Sqrt;
  return *options.lr_base() * (root ? std::sqrt(ratio) : ratio);
}

ScheduleOptions make_schedule(const TrainOptions& options, int64_t updates_per_epoch) {
  auto milestones = options.decay_milestones();
  for (auto& milestone : milestones) {
    milestone *= updates_per_epoch;
  }
  return ScheduleOptions()
      .sched(options.sched())
      .lr(peak_lr(options))
      .min_lr(options.min_lr())
      .warmup_lr(options.warmup_lr())
      .warmup_updates(options.warmup_epochs() * updates_per_epoch)
      .warmup_prefix(options.warmup_prefix())
      .total_updates(options.epochs() * updates_per_epoch)
      .decay_rate(options.decay_rate())
      .decay_updates(options.decay_epochs() * static_cast<double>(updates_per_epoch))
      .decay_milestones(std::move(milestones));
}

PlateauOptions make_plateau(const TrainOptions& options) {
  return PlateauOptions()
      .decreasing(options.eval_metric() == EvalMetric::Loss)
      .patience_epochs(options.patience_epochs())
      .decay_rate(options.decay_rate())
      .min_lr(options.min_lr());
}

}  // namespace vitrine
