#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"
#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/mlp.h"

namespace vitrine {

/// Options of `ConvNormAct`.
struct ConvNormActOptions {
  ConvNormActOptions(int64_t in_chans, int64_t out_chans, int64_t kernel_size)
      : in_chans_(in_chans), out_chans_(out_chans), kernel_size_(kernel_size) {}

  /// Channels in and out.
  TORCH_ARG(int64_t, in_chans);
  TORCH_ARG(int64_t, out_chans);
  /// Side of the kernel, odd; the map is padded by half of it.
  TORCH_ARG(int64_t, kernel_size);
  TORCH_ARG(int64_t, stride) = 1;
  /// Groups of channels that are convolved apart.
  TORCH_ARG(int64_t, groups) = 1;
  TORCH_ARG(Activation, activation) = Activation::Silu;
};

/// Convolution without bias, batch norm, activation. A norm whose weight takes no gradients stays
/// in evaluation, so that training neither follows the batch nor moves its running statistics.
///
/// Shapes: x [B, in_chans, H, W]; the result is [B, out_chans, H / stride, W / stride], rounded up.
/// Throws c10::ValueError on an option outside the ranges above.
class VITRINE_API ConvNormActImpl final : public torch::nn::Cloneable<ConvNormActImpl> {
 public:
  explicit ConvNormActImpl(const ConvNormActOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);
  void train(bool on = true) override;

  ConvNormActOptions options;
  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d bn{nullptr};
};
TORCH_MODULE(ConvNormAct);

/// Options of `InvertedResidual`.
struct InvertedResidualOptions {
  InvertedResidualOptions(int64_t in_chans, int64_t out_chans)
      : in_chans_(in_chans), out_chans_(out_chans) {}

  /// Channels in and out.
  TORCH_ARG(int64_t, in_chans);
  TORCH_ARG(int64_t, out_chans);
  TORCH_ARG(int64_t, stride) = 1;
  /// Channels inside, as a multiple of those that come in; rounded to a multiple of 8.
  TORCH_ARG(double, expansion) = 4.0;
  /// Probability, in [0, 1), of dropping the branch while training.
  TORCH_ARG(double, drop_path) = 0.0;
};

/// MobileNetV2 block: expansion by a 1x1 convolution, a depthwise 3x3 convolution, projection by a
/// 1x1 convolution without activation; added to its input where the shapes agree.
///
/// Shapes: x [B, in_chans, H, W]; the result is [B, out_chans, H / stride, W / stride], rounded up.
/// Source: Sandler et al. (2018), "MobileNetV2", section 3, https://arxiv.org/abs/1801.04381; with
/// SiLU, as MobileViT has it. Throws c10::ValueError on an option outside the ranges above.
class VITRINE_API InvertedResidualImpl final : public torch::nn::Cloneable<InvertedResidualImpl> {
 public:
  explicit InvertedResidualImpl(const InvertedResidualOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  InvertedResidualOptions options;
  ConvNormAct conv1_1x1{nullptr};
  ConvNormAct conv2_kxk{nullptr};
  ConvNormAct conv3_1x1{nullptr};
  DropPath drop_path{nullptr};
};
TORCH_MODULE(InvertedResidual);

/// `channels` rounded to the nearest multiple of 8, at least 8, and up where that would lose over
/// 10 %.
VITRINE_API int64_t round_channels(double channels);

}  // namespace vitrine
