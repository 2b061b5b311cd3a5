#pragma once

#include <c10/core/Device.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "vitrine/data/image_dataset.h"
#include "vitrine/data/loader.h"
#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/precision.h"
#include "vitrine/train/distillation.h"
#include "vitrine/train/epoch_plan.h"
#include "vitrine/train/epoch_progress.h"
#include "vitrine/train/grad_scaler.h"
#include "vitrine/train/gradient_clipping.h"
#include "vitrine/train/loss.h"
#include "vitrine/train/mixup.h"
#include "vitrine/train/model_ema.h"
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
  TORCH_ARG(LossOptions, loss);
  TORCH_ARG(DistillationOptions, distillation);
  /// Of whom a model with two heads learns with its second one (`forward_heads`), any other with
  /// its only one; needed where there is a distillation.
  TORCH_ARG(Teacher, teacher);
  TORCH_ARG(MixupOptions, mixup);
  TORCH_ARG(ModelEmaOptions, model_ema);
  /// Bound of the gradients, by `clip_mode`; 0 for none.
  TORCH_ARG(double, clip_grad) = 0.0;
  /// Agc leaves the head's gradients as they are.
  TORCH_ARG(ClipMode, clip_mode) = ClipMode::Norm;
  /// Batches whose mean gradient makes an update, at least 1; the last update of an epoch takes
  /// what is left.
  TORCH_ARG(int64_t, grad_accum_steps) = 1;
  /// Variations of each image that follow one another (`repeated_indices`); 0 for one only.
  TORCH_ARG(double, aug_repeats) = 0.0;
  /// Sizes of the updates' images; the dataset has a scale for each side. The learning rate of an
  /// update is then that of the one which begins, at the size of the data, after as large a share
  /// of the epoch.
  TORCH_ARG(MultiScaleOptions, multi_scale);
  /// From which the order of images, dropout, stochastic depth and mixes follow.
  TORCH_ARG(std::uint64_t, seed) = 42;
  TORCH_ARG(LoaderOptions, loader);
  /// Compute the blocks of the model again for the backward pass (`GradCheckpointing`).
  TORCH_ARG(bool, grad_checkpointing) = false;
  /// Keep images and the weights of convolutions with the channels of a pixel side by side.
  TORCH_ARG(bool, channels_last) = false;
  TORCH_ARG(torch::Device, device) = torch::kCPU;
  /// Of the forward pass and what follows from it; weights, loss and moments are float32.
  TORCH_ARG(Precision, precision) = Precision::Fp32;
  /// Of the gradients with Fp16.
  TORCH_ARG(GradScalerOptions, grad_scaler);
};

/// Updates in an epoch over `images` images, each of `grad_accum_steps` batches, the last one of
/// fewer: full batches only, or one where there is no full one.
VITRINE_API int64_t
updates_per_epoch(std::size_t images, int64_t batch_size, int64_t grad_accum_steps = 1);

/// An update just done.
struct StepReport {
  int64_t epoch = 0;  // from 1
  int64_t batch = 0;  // update of the epoch, from 1
  int64_t batches = 0;
  double loss = 0;  // not finite only where the update was skipped for it
  double lr = 0;
  double images_per_second = 0;  // of the epoch so far
  EpochProgress progress;        // where the epoch can be gone on with
  double data_wait = 0;          // share of the epoch's time so far spent waiting for images
  bool skipped = false;          // left out, since the loss or a gradient was not finite
  int64_t images = 0;            // of the epoch, to be trained on
};

/// Told of every update; false stops.
using StepHandler = std::function<bool(const StepReport&)>;

/// An epoch of training.
struct EpochReport {
  double loss = 0;  // mean of the images whose update had a finite one; 0 where none had
  double lr = 0;    // of the last update
  double images_per_second = 0;
  double data_wait = 0;         // share of the time spent waiting for images, in [0, 1]
  int64_t skipped_updates = 0;  // left out, since the loss or a gradient was not finite
};

/// Trains a model, epoch by epoch, in the precision that its weights have.
///
/// An update depends on the weights, the optimizer's state, the seed and its number alone: random
/// numbers are seeded for each, so that a training can go on elsewhere after any update. LibTorch's
/// default generators are the caller's again when a call returns.
class VITRINE_API Trainer {
 public:
  /// Moves `model` to the device. Throws c10::ValueError on options out of range.
  Trainer(std::shared_ptr<Classifier> model, const TrainerOptions& options);

  /// Trains for epoch number `epoch`, from 1, over `data`, going on after what is `done` of it.
  /// Nothing when `step` stopped it. Throws Error, before the update, when the loss or the norm of
  /// the gradients is not finite, naming the images, and ImageError when an image cannot be read.
  /// With Fp16, a loss or gradients that are not finite cost the update and lower the scale
  /// instead, as long as it is at least 1; the images of an update without a finite loss count for
  /// nothing.
  std::optional<EpochReport> train_epoch(
      ImageDataset data,
      int64_t epoch,
      const StepHandler& step = {},
      const EpochProgress& done = {});

  /// Sets the rate after warm-up, as a plateau does.
  void set_lr(double lr) { options_.schedule().lr(lr); }

  Optimizer& optimizer() { return optimizer_; }
  /// The scaler of gradients; null but with Fp16.
  GradScaler* scaler() { return scaler_ ? &*scaler_ : nullptr; }
  /// Updates done, those left out included: the number of the next one.
  int64_t updates() const;
  const std::shared_ptr<Classifier>& model() const { return model_; }
  /// The moving average of the model, in evaluation mode; null without one.
  const std::shared_ptr<Classifier>& average() const { return average_; }
  /// What is to be validated and kept: the average where there is one, else the model.
  Classifier& result() { return average_ ? *average_ : *model_; }

 private:
  struct Epoch;
  struct Measured {
    double loss;
    double norm;
    bool overflowed;  // the loss or a scaled gradient was not finite, and a lower scale may help
  };

  std::optional<EpochReport> train_batches(Epoch& epoch, const StepHandler& step);
  torch::Tensor find_loss(const torch::Tensor& images, const torch::Tensor& targets);
  torch::Tensor backward(
      const torch::data::Example<>& batch, std::uint64_t seed, int64_t epoch, int64_t parts);
  torch::Tensor clip();
  Measured measure(const std::vector<torch::Tensor>& losses);
  void update(double lr, bool skipped);

  std::shared_ptr<Classifier> model_;
  std::shared_ptr<Classifier> average_;
  TrainerOptions options_;
  Optimizer optimizer_;
  std::optional<GradScaler> scaler_;
};

}  // namespace vitrine
