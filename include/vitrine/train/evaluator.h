#pragma once

#include <c10/core/Device.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "vitrine/data/image_dataset.h"
#include "vitrine/data/loader.h"
#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/precision.h"
#include "vitrine/train/metrics.h"

namespace vitrine {

/// How `evaluate` goes about it.
struct EvaluateOptions {
  TORCH_ARG(LoaderOptions, loader);
  /// Where the model is.
  TORCH_ARG(torch::Device, device) = torch::kCPU;
  /// Judge by the mean of the probabilities that an image and its mirror image get.
  TORCH_ARG(bool, hflip) = false;
  /// Of the model; what is measured is computed with float32.
  TORCH_ARG(Precision, precision) = Precision::Fp32;
  /// Most wrong answers to list.
  TORCH_ARG(int64_t, mistakes) = 20;
};

/// A wrong answer.
struct Mistake {
  std::size_t index;   // in the dataset
  int64_t target;      // class it is of
  int64_t predicted;   // class it was taken for
  double probability;  // of the class it was taken for
  double loss;
};

/// How well a model does on a dataset.
struct Evaluation {
  int64_t images = 0;
  double loss = 0;  // mean cross entropy
  double top1 = 0;  // share of images whose class comes first, the diagonal of `confusion`
  double top5 = 0;  // share of images whose class is among the first five
  ConfusionMatrix confusion{1};
  std::vector<Mistake> mistakes;  // those of the highest loss, worst first
};

/// Told the images done and the images in all; false stops.
using EvaluateProgress = std::function<bool(int64_t, int64_t)>;

/// Runs `model` over `data` in evaluation mode, which it leaves as it found it. Nothing when
/// `progress` stopped it. Images that the data's handler of bad images took are left out. Throws
/// ImageError, naming the file, when an image cannot be read, and c10::ValueError when the data has
/// more classes than the model.
VITRINE_API std::optional<Evaluation> evaluate(
    Classifier& model,
    const ImageDataset& data,
    const EvaluateOptions& options = {},
    const EvaluateProgress& progress = {});

}  // namespace vitrine
