#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Training at several sizes: each update takes one at random, and batches of as many images as
/// have the pixels of a batch at the size of the model, so that an update takes about as much time
/// and memory at each.
///
/// Source: Mehta and Rastegari (2022), "MobileViT", section 3.2, https://arxiv.org/abs/2110.02178.
struct MultiScaleOptions {
  /// Sides of square images in pixels; none for the size of the data alone.
  TORCH_ARG(std::vector<int64_t>, sides);
  /// Pixels, height times width, of the images that `batch_size` counts, at least 1.
  TORCH_ARG(int64_t, base_pixels) = 1;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const MultiScaleOptions& options);

/// Images of a batch at `side`: b_t = H W b / side^2, rounded down, at least 1, where batches of
/// H W = `base_pixels` have b = `batch_size`.
VITRINE_API int64_t
scaled_batch_size(int64_t batch_size, int64_t side, const MultiScaleOptions& options);

/// A batch of an epoch, by the order that the epoch has its images in.
struct PlannedBatch {
  std::size_t first;  // place of its first image
  std::size_t count;
  std::size_t scale;  // place of its side in `MultiScaleOptions::sides`; 0 without any
  int64_t update;     // of the epoch, from 0
  int64_t part;       // of the update, from 0
  int64_t parts;      // batches of the update
};

/// What an epoch's batches depend on.
struct EpochPlanOptions {
  /// Images of the epoch, at least 1.
  TORCH_ARG(std::size_t, images) = 1;
  TORCH_ARG(int64_t, batch_size) = 32;
  /// Batches of an update; the last one of the epoch may have fewer.
  TORCH_ARG(int64_t, grad_accum_steps) = 1;
  TORCH_ARG(MultiScaleOptions, multi_scale);
  /// From these two the sizes follow.
  TORCH_ARG(std::uint64_t, seed) = 0;
  TORCH_ARG(int64_t, epoch) = 1;
};

/// The batches of an epoch: of its images as many as make full batches of `batch_size`, or all
/// where there are fewer, each once. At several sizes, where more than one and less than two
/// batches are left, the next one takes half of them, so that none is left with an image or two.
VITRINE_API std::vector<PlannedBatch> plan_epoch(const EpochPlanOptions& options);

}  // namespace vitrine
