#pragma once

#include <c10/core/Device.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/data/augment.h"
#include "vitrine/export.h"
#include "vitrine/image/preprocess.h"
#include "vitrine/models/model_options.h"
#include "vitrine/precision.h"
#include "vitrine/train/distillation.h"
#include "vitrine/train/gradient_clipping.h"
#include "vitrine/train/loss.h"
#include "vitrine/train/mixup.h"
#include "vitrine/train/model_ema.h"
#include "vitrine/train/optimizer.h"
#include "vitrine/train/plateau.h"
#include "vitrine/train/schedule.h"

namespace vitrine {

/// Most epochs of a training, with which no number of updates overflows.
constexpr int64_t kMostEpochs = 1'000'000;

/// What decides which epoch's model is the best, and what a plateau watches: the share of right
/// answers or the loss on the validation images.
enum class EvalMetric { Top1, Loss };

/// "top1" and "loss", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(EvalMetric metric);
VITRINE_API EvalMetric parse_eval_metric(const std::string& name);

/// How `lr_base` grows with the images of an update: by its ratio to `lr_base_size`, or the root of
/// that; Auto is Sqrt for AdamW, Adam and LAMB, Linear for SGD.
enum class LrBaseScale { Auto, Linear, Sqrt };

/// "auto", "linear" and "sqrt", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(LrBaseScale scale);
VITRINE_API LrBaseScale parse_lr_base_scale(const std::string& name);

/// Everything that `train` needs to know, by timm's names where timm has one.
struct TrainOptions {
  /// Where the images are (`find_images`).
  TORCH_ARG(std::string, data);
  /// Share of each class to validate by where the data has no part for it (`scan_image_splits`).
  TORCH_ARG(double, val_fraction) = 0.0;
  /// Go on where an image cannot be read: to train, the next one of the list takes its place; to
  /// validate, it is left out.
  TORCH_ARG(bool, skip_bad_images) = false;
  /// Most images that may be skipped so; one more ends the run.
  TORCH_ARG(int64_t, max_bad_images) = 100;
  /// Folder of the run; it is made, or an unfinished run in it is continued.
  TORCH_ARG(std::string, output);
  /// Name in the zoo; may be empty where `weights` has a card.
  TORCH_ARG(std::string, model);
  /// Options of the model; the number of classes follows from the data.
  TORCH_ARG(ModelOptions, model_options);
  /// Checkpoint to start from; none where empty.
  TORCH_ARG(std::string, weights);
  /// Start with a new, random head and ignore that of `weights`.
  TORCH_ARG(bool, reset_head) = false;
  /// Patterns of the keys of parameters that are not trained (`freeze`).
  TORCH_ARG(std::vector<std::string>, freeze);
  /// Size, crop and normalisation of images; the card's where not set.
  TORCH_ARG(std::optional<PreprocessOptions>, preprocess);
  TORCH_ARG(AugmentOptions, augment);
  /// Variations of each image that follow one another in an epoch (`repeated_indices`), at least 1;
  /// 0 for every image once.
  TORCH_ARG(double, aug_repeats) = 0.0;
  /// Sides in pixels of square images, of which each update takes one (`MultiScaleOptions`); none
  /// for the size of `preprocess` alone, which stays that of validation. Needs a model that takes
  /// images of other sizes than its own: a MobileViT, or a ViT with dynamic_img_size.
  TORCH_ARG(std::vector<int64_t>, multi_scale);

  TORCH_ARG(OptimizerOptions, optimizer);
  /// Factor of the learning rate from one layer to the one below it (`layer_lr_scales`), above 0
  /// and at most 1; 1 for one rate.
  TORCH_ARG(double, layer_decay) = 1.0;
  TORCH_ARG(ScheduleKind, sched) = ScheduleKind::Cosine;
  /// Learning rate after warm-up.
  TORCH_ARG(double, lr) = 5e-4;
  /// Learning rate for updates of `lr_base_size` images, instead of `lr`; see `LrBaseScale`.
  TORCH_ARG(std::optional<double>, lr_base);
  TORCH_ARG(int64_t, lr_base_size) = 256;
  TORCH_ARG(LrBaseScale, lr_base_scale) = LrBaseScale::Auto;
  /// Learning rate at the end of cosine, linear, poly and tanh, and below which no plateau goes.
  TORCH_ARG(double, min_lr) = 1e-5;
  /// Learning rate of the first update where there is a warm-up.
  TORCH_ARG(double, warmup_lr) = 1e-6;
  /// Epochs of the schedule, warm-up included where it is no prefix, cool-down not.
  TORCH_ARG(int64_t, epochs) = 100;
  TORCH_ARG(int64_t, warmup_epochs) = 5;
  /// Whether the warm-up comes before the schedule and lengthens the training.
  TORCH_ARG(bool, warmup_prefix) = false;
  /// Epochs at `min_lr` after the schedule; needs one that ends there.
  TORCH_ARG(int64_t, cooldown_epochs) = 0;
  /// Epochs of a step, which need not be whole.
  TORCH_ARG(double, decay_epochs) = 90;
  /// Epochs at which multistep decays, ascending.
  TORCH_ARG(std::vector<int64_t>, decay_milestones) = {90, 180, 270};
  /// Factor of step, multistep and plateau; power of poly.
  TORCH_ARG(double, decay_rate) = 0.1;
  /// Epochs without improvement that a plateau waits for.
  TORCH_ARG(int64_t, patience_epochs) = 10;
  TORCH_ARG(EvalMetric, eval_metric) = EvalMetric::Top1;

  TORCH_ARG(LossOptions, loss);
  /// Weigh the loss so that classes of few images count as much as those of many.
  TORCH_ARG(bool, balance_classes) = false;
  /// Model file that the model learns from (`make_teacher`), of the same classes; none where empty.
  TORCH_ARG(std::string, teacher);
  /// How it does; needed with a teacher, and only then.
  TORCH_ARG(DistillationOptions, distillation);
  TORCH_ARG(MixupOptions, mixup);
  TORCH_ARG(ModelEmaOptions, model_ema);
  /// Bound of the gradients, by `clip_mode`; 0 for none.
  TORCH_ARG(double, clip_grad) = 0.0;
  TORCH_ARG(ClipMode, clip_mode) = ClipMode::Norm;

  TORCH_ARG(int64_t, batch_size) = 32;
  /// Of the model, in training and validation; weights, loss and moments are float32.
  TORCH_ARG(Precision, precision) = Precision::Fp32;
  /// Keep images and the weights of convolutions in memory with the channels of a pixel side by
  /// side, in which some devices convolve faster.
  TORCH_ARG(bool, channels_last) = false;
  /// Batches whose mean gradient makes an update.
  TORCH_ARG(int64_t, grad_accum_steps) = 1;
  /// From which all randomness follows.
  TORCH_ARG(std::uint64_t, seed) = 42;

  /// Forget an earlier run in `output` and start anew.
  TORCH_ARG(bool, fresh) = false;
  /// Compute the blocks of the model again for the backward pass, which takes less memory and more
  /// time (`GradCheckpointing`); the result does not depend on it.
  TORCH_ARG(bool, grad_checkpointing) = false;
  /// Threads that prepare batches; the result does not depend on it.
  TORCH_ARG(int64_t, workers) = 2;
  /// Updates after which a checkpoint is written in the middle of an epoch, each time; 0 for none.
  TORCH_ARG(int64_t, save_every) = 0;
  /// Checkpoints that are kept, the newest, at least 1; best.safetensors is apart.
  TORCH_ARG(int64_t, keep) = 2;
  TORCH_ARG(torch::Device, device) = torch::kCPU;
};

/// Throws c10::ValueError, naming the option, when one is out of range or cannot go with another.
VITRINE_API void check_options(const TrainOptions& options);

/// Epochs of the whole training: of the schedule, of a warm-up before it, of the cool-down.
VITRINE_API int64_t total_epochs(const TrainOptions& options);
/// The learning rate after warm-up: `lr`, or what follows from `lr_base`.
VITRINE_API double peak_lr(const TrainOptions& options);

/// The schedule of a training with `updates_per_epoch` updates an epoch.
VITRINE_API ScheduleOptions make_schedule(const TrainOptions& options, int64_t updates_per_epoch);

/// How the plateau of a training goes about it.
VITRINE_API PlateauOptions make_plateau(const TrainOptions& options);

/// The options that decide the outcome of a run, as one JSON object; `output`, `fresh`, `workers`,
/// `save_every`, `keep`, `grad_checkpointing` and `device` are left out.
VITRINE_API std::string train_options_to_json(const TrainOptions& options);

/// The options that say how a run goes about it, in the same way: `workers`, `save_every`,
/// `keep`, `grad_checkpointing` and `max_bad_images`.
VITRINE_API std::string running_options_to_json(const TrainOptions& options);

/// The first such object, or a config.json that has it below "options" and the second below
/// "running", laid over `base`. Throws
/// UnknownNameError on an option that does not exist, and Error on text that is no such object.
VITRINE_API TrainOptions
train_options_from_json(const std::string& text, const TrainOptions& base = {});

}  // namespace vitrine
