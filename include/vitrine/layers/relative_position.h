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

/// A table of biases [O, M], one for each offset of `offset_index`, for windows of another size.
/// Along each side the old offsets are spread in steps that grow by a constant factor from the
/// centre, so that the farthest come close to the new farthest; in between the biases are
/// interpolated linearly, beyond them the last holds. Computed in float32.
///
/// Source: the fine-tuning code of Bao et al. (2021), "BEiT", https://arxiv.org/abs/2106.08254,
/// with timm's linear in place of its cubic interpolation. Throws c10::ValueError on a table that
/// does not fit the old window.
VITRINE_API torch::Tensor resize_bias_table(
    const torch::Tensor& table, Size2 old_window, Size2 new_window);

}  // namespace vitrine
