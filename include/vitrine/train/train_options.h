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
#include "vitrine/train/optimizer.h"
#include "vitrine/train/schedule.h"

namespace vitrine {

/// Most epochs of a training, with which no number of updates overflows.
constexpr int64_t kMostEpochs = 1'000'000;

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

  TORCH_ARG(OptimizerOptions, optimizer);
  /// Factor of the learning rate from one layer to the one below it (`layer_lr_scales`), above 0
  /// and at most 1; 1 for one rate.
  TORCH_ARG(double, layer_decay) = 1.0;
  TORCH_ARG(ScheduleKind, sched) = ScheduleKind::Cosine;
  /// Learning rate after warm-up.
  TORCH_ARG(double, lr) = 5e-4;
  /// Learning rate at the end of the cosine.
  TORCH_ARG(double, min_lr) = 1e-5;
  /// Learning rate of the first update where there is a warm-up.
  TORCH_ARG(double, warmup_lr) = 1e-6;
  /// Epochs of training, warm-up included.
  TORCH_ARG(int64_t, epochs) = 100;
  TORCH_ARG(int64_t, warmup_epochs) = 5;
  /// Share of a target's weight that goes evenly to all classes, in [0, 1).
  TORCH_ARG(double, smoothing) = 0.1;
  /// Largest L2 norm of the gradients; 0 for any.
  TORCH_ARG(double, clip_grad) = 0.0;

  TORCH_ARG(int64_t, batch_size) = 32;
  /// From which all randomness follows.
  TORCH_ARG(std::uint64_t, seed) = 42;

  /// Forget an earlier run in `output` and start anew.
  TORCH_ARG(bool, fresh) = false;
  /// Threads that prepare batches; the result does not depend on it.
  TORCH_ARG(int64_t, workers) = 2;
  TORCH_ARG(torch::Device, device) = torch::kCPU;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const TrainOptions& options);

/// The schedule of a training with `updates_per_epoch` updates an epoch.
VITRINE_API ScheduleOptions make_schedule(const TrainOptions& options, int64_t updates_per_epoch);

/// The options that decide the outcome of a run, as one JSON object; `output`, `fresh`, `workers`
/// and `device` are left out.
VITRINE_API std::string train_options_to_json(const TrainOptions& options);

/// Such an object, or a config.json that has it below "options", laid over `base`. Throws
/// UnknownNameError on an option that does not exist, and Error on text that is no such object.
VITRINE_API TrainOptions
train_options_from_json(const std::string& text, const TrainOptions& base = {});

}  // namespace vitrine
