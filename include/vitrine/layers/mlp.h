#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>

#include "vitrine/export.h"

namespace vitrine {

/// Nonlinearity between two layers. `Gelu` is the exact one, by the error function.
enum class Activation { Gelu, Silu, None };

/// Applies `activation` to each element of `x`.
VITRINE_API torch::Tensor activate(const torch::Tensor& x, Activation activation);

/// Options of `Mlp`.
struct MlpOptions {
  MlpOptions(int64_t dim, int64_t hidden_dim) : dim_(dim), hidden_dim_(hidden_dim) {}

  /// Channels of a token.
  TORCH_ARG(int64_t, dim);
  /// Channels that come out of the first layer.
  TORCH_ARG(int64_t, hidden_dim);
  TORCH_ARG(Activation, activation) = Activation::Gelu;
  /// Whether the first half of those channels gates the second: with `Activation::Silu`, SwiGLU.
  TORCH_ARG(bool, gated) = false;
  /// Probability, in [0, 1), of dropping an output of either layer while training.
  TORCH_ARG(double, drop) = 0.0;
};

/// Two linear layers around an activation, for each token: fc2(activation(fc1(x))); gated,
/// fc2(activation(a) * b), a and b being the halves of fc1(x).
///
/// Shapes: x [..., C]; the result is shaped alike.
/// Source: Dosovitskiy et al. (2020), section 3.1, https://arxiv.org/abs/2010.11929; gated: Shazeer
/// (2020), "GLU Variants Improve Transformer", https://arxiv.org/abs/2002.05202.
/// Throws c10::ValueError on an option outside the ranges above.
class VITRINE_API MlpImpl final : public torch::nn::Cloneable<MlpImpl> {
 public:
  explicit MlpImpl(const MlpOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  MlpOptions options;
  torch::nn::Linear fc1{nullptr};
  torch::nn::Dropout drop1{nullptr};
  torch::nn::Linear fc2{nullptr};
  torch::nn::Dropout drop2{nullptr};
};
TORCH_MODULE(Mlp);

/// The same over the channels of a map, by 1x1 convolutions; not gated.
///
/// Shapes: x [B, C, H, W]; the result is shaped alike.
/// Throws c10::ValueError on an option or a shape outside the ranges above.
class VITRINE_API ConvMlpImpl final : public torch::nn::Cloneable<ConvMlpImpl> {
 public:
  explicit ConvMlpImpl(const MlpOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  MlpOptions options;
  torch::nn::Conv2d fc1{nullptr};
  torch::nn::Dropout drop1{nullptr};
  torch::nn::Conv2d fc2{nullptr};
  torch::nn::Dropout drop2{nullptr};
};
TORCH_MODULE(ConvMlp);

}  // namespace vitrine
