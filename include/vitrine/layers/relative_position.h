#pragma once

#include <torch/types.h>

#include "vitrine/export.h"
#include "vitrine/layers/patch_embed.h"

namespace vitrine {

/// For each pair of tokens of a window, the number of the query's offset from the key, row by row:
/// int64 [N, N], from 0 to (2 * rows - 1) * (2 * columns - 1) - 1.
VITRINE_API torch::Tensor offset_index(Size2 window);

/// Every offset between two tokens of a window, rows and columns, in the order of `offset_index`:
/// float32 [(2 * rows - 1) * (2 * columns - 1), 2]. An offset of a whole `reference` window becomes
/// 8, and t then sign(t) log8(1 + |t|). Source: Liu et al. (2022), "Swin Transformer V2", section
/// 3.3, https://arxiv.org/abs/2111.09883; scaled as its code does.
VITRINE_API torch::Tensor log_spaced_offsets(Size2 window, Size2 reference);

}  // namespace vitrine
