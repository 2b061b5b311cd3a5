#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"
#include "vitrine/precision.h"

namespace vitrine {

/// How a model is measured.
struct MeasurementOptions {
  bool training = false;
  std::int64_t batch_size = 1;
  std::int64_t warmup = 0;      // steps before those that count
  std::int64_t iterations = 1;  // steps that count
  c10::Device device = c10::kCPU;
  Precision precision = Precision::Fp32;  // in training without a scaler of gradients
};

/// What a model takes. Of each step in order, milliseconds; of its parts in training alone.
struct Measurement {
  std::vector<double> step_ms;
  std::vector<double> forward_ms;  // with the loss
  std::vector<double> backward_ms;
  std::vector<double> optimizer_ms;  // with the norm of the gradients, and dropping them
  /// The most memory there was in use at once, in 1e6 bytes: on the CPU resident in the process,
  /// LibTorch's code included; on a GPU held by tensors. Nothing where it cannot be told.
  std::optional<double> peak_memory_mb;
};

/// Runs `model` on a batch of random images of the card's size, labelled at random for training;
/// LibTorch's seed decides them.
Measurement measure(
    const std::shared_ptr<Classifier>& model,
    const ModelCard& card,
    const MeasurementOptions& options);

/// The smallest of `values`, of which there is one at least, that a share of them does not exceed;
/// for 0.5 of an even count the mean of the two in the middle.
double quantile(std::vector<double> values, double share);

}  // namespace vitrine
