#pragma once

#include <c10/util/Exception.h>  // for ordered_dict.h, which lacks it
#include <torch/ordered_dict.h>
#include <torch/types.h>

#include <string>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"

namespace vitrine {

/// One pass with its attention weights.
struct AttentionMaps {
  torch::Tensor logits;  // [B, K]
  /// By the key of the attention's module, such as "blocks.0.attn", in the order of the pass. For M
  /// heads and N tokens, each row of N weights summing to 1:
  ///   ViT           [B, M, N, N], the tokens before the patches included
  ///   Swin          [B * G, M, N, N], G windows an image, row by row, shifted in every other block
  ///   MobileViT     [B * P, M, N, N], N patches, apart for each of P places within a patch
  ///   MobileViT v2  [B, 1, P, N], the one query of each place
  torch::OrderedDict<std::string, torch::Tensor> maps;
};

/// Runs `images` [B, C, H, W] through `model` in the mode it is in, and keeps the attention weights
/// before dropout. The logits are those of `forward` but for rounding: no fused kernel is used.
VITRINE_API AttentionMaps attention_maps(Classifier& model, const torch::Tensor& images);

}  // namespace vitrine
