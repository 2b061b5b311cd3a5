#pragma once

#include <torch/types.h>

#include <cstdint>

#include "vitrine/export.h"
#include "vitrine/layers/patch_embed.h"

namespace vitrine {

/// Fixed position embeddings of a grid of patches, float32 [1, N, C], row by row: sine and cosine
/// of the column, then of the row, each for C / 4 frequencies that fall geometrically from 1 to 1 /
/// 10000. C, `dim`, is a multiple of 4, at least 8.
///
/// Source: Beyer et al. (2022), "Better plain ViT baselines for ImageNet-1k", section 3,
/// https://arxiv.org/abs/2205.01580. Throws c10::ValueError on a size outside the ranges above.
VITRINE_API torch::Tensor sincos_position_embedding(Size2 grid, int64_t dim);

}  // namespace vitrine
