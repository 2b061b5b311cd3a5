#pragma once

#include <ATen/core/Generator.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/data/augment.h"
#include "vitrine/export.h"

namespace vitrine {

/// What is drawn anew: one mix for a whole batch, one for each pair of images, which take from each
/// other, or one for each image.
enum class MixupMode { Batch, Pair, Elem };

/// "batch", "pair" and "elem", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(MixupMode mode);
VITRINE_API MixupMode parse_mixup_mode(const std::string& name);

/// How images of a batch are mixed, by timm's names.
struct MixupOptions {
  /// Both parameters of the beta distribution of mixup's shares; 0 for no mixup.
  TORCH_ARG(double, mixup) = 0.0;
  /// The same for CutMix, whose share is that of the area.
  TORCH_ARG(double, cutmix) = 0.0;
  /// Least and largest side of CutMix's boxes as shares of the image's, instead of a beta
  /// distribution; turns CutMix on.
  TORCH_ARG(std::optional<Bounds>, cutmix_minmax);
  /// Probability that a batch, pair or image is mixed at all.
  TORCH_ARG(double, mixup_prob) = 1.0;
  /// Probability of CutMix where both are on.
  TORCH_ARG(double, mixup_switch_prob) = 0.5;
  TORCH_ARG(MixupMode, mixup_mode) = MixupMode::Batch;
  /// Epochs after which nothing is mixed any more; 0 for none.
  TORCH_ARG(int64_t, mixup_off_epoch) = 0;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const MixupOptions& options);

/// Whether images are mixed in epoch number `epoch`, from 1.
VITRINE_API bool mixes(const MixupOptions& options, int64_t epoch);

/// A part of an image, in pixels: rows [top, bottom) and columns [left, right).
struct CutBox {
  int64_t top;
  int64_t bottom;
  int64_t left;
  int64_t right;
};

/// What an image keeps of itself; the rest comes from its partner.
struct Mix {
  double lam = 1;             // share of its own, in [0, 1]
  std::optional<CutBox> box;  // where the partner's pixels are; without one all are blended
};

/// CutMix's box of share 1 - `lam` around a pixel, cut off at the image's borders.
VITRINE_API CutBox
cut_box(int64_t height, int64_t width, double lam, int64_t center_y, int64_t center_x);

/// Draws the mixes of `batch` images: one in mode Batch, else one for each image, whose share is
/// that of the pixels that it really keeps.
VITRINE_API std::vector<Mix> draw_mixes(
    const MixupOptions& options,
    at::Generator& generator,
    int64_t batch,
    int64_t height,
    int64_t width);

/// Mixes images [B, C, H, W], each with the one as far from the batch's other end; one mix, or one
/// for each image.
///
/// Sources: Zhang et al. (2018), "mixup", https://arxiv.org/abs/1710.09412; Yun et al. (2019),
/// "CutMix", https://arxiv.org/abs/1905.04899. Equal to timm's Mixup, given what is drawn.
VITRINE_API torch::Tensor mix_images(const torch::Tensor& images, const std::vector<Mix>& mixes);

/// Mixes their soft targets [B, K] alike.
VITRINE_API torch::Tensor mix_targets(const torch::Tensor& targets, const std::vector<Mix>& mixes);

}  // namespace vitrine
