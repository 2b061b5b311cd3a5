#pragma once

#include <c10/core/Device.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "vitrine/data/image_dataset.h"
#include "vitrine/data/loader.h"
#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/train/optimizer.h"
#include "vitrine/train/schedule.h"

namespace vitrine {

/// Options of `Trainer`.
struct TrainerOptions {
  TORCH_ARG(OptimizerOptions, optimizer);
  /// Factor of the learning rate from one layer to the one below it (`layer_lr_scales`), above 0
  /// and at most 1; 1 for one rate.
  TORCH_ARG(double, layer_decay) = 1.0;
  /// Learning rate by update.
  TORCH_ARG(ScheduleOptions, schedule);
  /// Share of a target's weight that goes evenly to all classes, in [0, 1).
  TORCH_ARG(double, smoothing) = 0.1;
  /// Largest L2 norm of the gradients; 0 for any.
  TORCH_ARG(double, clip_grad) = 0.0;
  /// From which the order of images, dropout and stochastic depth follow.
  TORCH_ARG(std::uint64_t, seed) = 42;
  TORCH_ARG(LoaderOptions, loader);
  TORCH_ARG(torch::Device, device) = torch::kCPU;
};

/// Updates in an epoch over `images` images: full batches only, or one where there is no full one.
VITRINE_API int64_t updates_per_epoch(std::size_t images, int64_t batch_size);

/// An update just done.
struct StepReport {
  int64_t epoch;  // from 1
  int64_t batch;  // of the epoch, from 1
  int64_t batches;
  double loss;
  double lr;
  double images_per_second;  // of the epoch so far
  double mean_loss;          // of the epoch so far
  double data_wait;          // share of the epoch's time so far spent waiting for images
};

/// Told of every update; false stops.
using StepHandler = std::function<bool(const StepReport&)>;

/// An epoch of training.
struct EpochReport {
  double loss;  // mean of the updates
  double lr;    // of the last update
  double images_per_second;
  double data_wait;  // share of the time spent waiting for images, in [0, 1]
};

/// Trains a model, epoch by epoch.
///
/// An update depends on the weights, the optimizer's state, the seed and its number alone: random
/// numbers are seeded for each, so that a training can go on elsewhere after any epoch. LibTorch's
/// default generators are the caller's again when a call returns.
class VITRINE_API Trainer {
 public:
  /// Moves `model` to the device. Throws c10::ValueError on options out of range.
  Trainer(std::shared_ptr<Classifier> model, const TrainerOptions& options);

  /// Trains for epoch number `epoch`, from 1, over `data`. Nothing when `step` stopped it. Throws
  /// Error, before the update, when the loss or the norm of the gradients is not finite, and
  /// ImageError when an image cannot be read.
  std::optional<EpochReport> train_epoch(
      ImageDataset data, int64_t epoch, const StepHandler& step = {});

  Optimizer& optimizer() { return optimizer_; }
  const std::shared_ptr<Classifier>& model() const { return model_; }

 private:
  double update(const torch::data::Example<>& batch, double lr, int64_t epoch);

  std::shared_ptr<Classifier> model_;
  TrainerOptions options_;
  Optimizer optimizer_;
};

}  // namespace vitrine
