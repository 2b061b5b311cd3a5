#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vitrine {

/// Options of `Classifier::forward_intermediates`, by timm's names.
struct IntermediatesOptions {
  /// Whose features are taken: blocks of a ViT, stages of a Swin or MobileViT, counted from 0;
  /// negative numbers count from the end, -1 being the last. Empty takes all.
  TORCH_ARG(std::vector<int64_t>, indices);
  /// Whether features pass the model's last norm: those of any block of a ViT (one whose norm
  /// follows the pooling gives them as they are), of a Swin's last stage alone; a MobileViT has
  /// none.
  TORCH_ARG(bool, norm) = false;
  /// "NCHW" for maps [B, C, H, W], "NLC" for tokens [B, N, C], row by row.
  TORCH_ARG(std::string, output_fmt) = "NCHW";
  /// Whether the tokens before a ViT's patches are given beside the maps, which never hold them.
  TORCH_ARG(bool, return_prefix_tokens) = false;
  /// Whether the run ends with the last block or stage whose features are taken.
  TORCH_ARG(bool, stop_early) = false;
};

/// What `Classifier::forward_intermediates` gives.
struct Intermediates {
  /// As of `forward_features`; where the run ended early, what it had come to by then.
  torch::Tensor features;
  /// Of each block or stage asked for, in the model's order, each once.
  std::vector<torch::Tensor> maps;
  /// Class token, distillation token and registers, [B, P, C], beside each map; empty unless asked
  /// for, or where the model has none.
  std::vector<torch::Tensor> prefix_tokens;
};

}  // namespace vitrine
