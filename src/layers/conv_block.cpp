#include "vitrine/layers/conv_block.h"

#include <algorithm>

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/grad_checkpointing.h"

namespace vitrine {

namespace nn = torch::nn;

int64_t round_channels(double channels) {
  constexpr int64_t kMultiple = 8;
  const auto nearest = static_cast<int64_t>(channels + kMultiple / 2.0) / kMultiple * kMultiple;
  const auto rounded = std::max(kMultiple, nearest);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + kMultiple : rounded;
}

ConvNormActImpl::ConvNormActImpl(const ConvNormActOptions& options_) : options(options_) {
  reset();
}

void ConvNormActImpl::reset() {
  const auto kernel = options.kernel_size();
  TORCH_CHECK_VALUE(
      options.in_chans() > 0 && options.out_chans() > 0 && options.stride() > 0,
      "ConvNormAct: in_chans, out_chans and stride must be at least 1, got ",
      options.in_chans(),
      ", ",
      options.out_chans(),
      " and ",
      options.stride());
  TORCH_CHECK_VALUE(
      kernel > 0 && kernel % 2 == 1, "ConvNormAct: kernel_size must be odd, got ", kernel);
  const auto groups = options.groups();
  TORCH_CHECK_VALUE(
      groups > 0 && options.in_chans() % groups == 0 && options.out_chans() % groups == 0,
      "ConvNormAct: groups must divide in_chans and out_chans, got ",
      groups,
      " of ",
      options.in_chans(),
      " and ",
      options.out_chans());
  conv = register_module(
      "conv",
      nn::Conv2d(nn::Conv2dOptions(options.in_chans(), options.out_chans(), kernel)
                     .stride(options.stride())
                     .padding(kernel / 2)
                     .groups(options.groups())
                     .bias(false)));
  bn = register_module("bn", nn::BatchNorm2d(options.out_chans()));
  init_mobile_(*conv);
}

void ConvNormActImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::ConvNormAct(" << options.in_chans() << ", " << options.out_chans()
         << ", kernel_size=" << options.kernel_size() << ", stride=" << options.stride() << ")";
}

torch::Tensor ConvNormActImpl::forward(const torch::Tensor& x) {
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(1) == options.in_chans(),
      "ConvNormAct: expected a map [B, ",
      options.in_chans(),
      ", H, W], got ",
      x.sizes());
  const auto y = conv(x);
  TORCH_CHECK_VALUE(
      !bn->is_training() || y.numel() > y.size(1),
      "one image is too few to learn from where its map has shrunk to one position, since batch "
      "normalisation compares positions and images: take a larger batch_size or image_size");
  return observed(*this, activate(bn(y), options.activation()));
}

void ConvNormActImpl::train(bool on) {
  Module::train(on);
  bn->train(on && bn->weight.requires_grad());
}

InvertedResidualImpl::InvertedResidualImpl(const InvertedResidualOptions& options_)
    : options(options_) {
  reset();
}

void InvertedResidualImpl::reset() {
  detail::check_positive("InvertedResidual", "in_chans", options.in_chans());
  detail::check_positive("InvertedResidual", "out_chans", options.out_chans());
  detail::scaled_dim("InvertedResidual", "expansion", options.in_chans(), options.expansion());
  const auto inner = round_channels(static_cast<double>(options.in_chans()) * options.expansion());
  conv1_1x1 =
      register_module("conv1_1x1", ConvNormAct(ConvNormActOptions(options.in_chans(), inner, 1)));
  conv2_kxk = register_module(
      "conv2_kxk",
      ConvNormAct(ConvNormActOptions(inner, inner, 3).stride(options.stride()).groups(inner)));
  conv3_1x1 = register_module(
      "conv3_1x1",
      ConvNormAct(ConvNormActOptions(inner, options.out_chans(), 1).activation(Activation::None)));
  drop_path = register_module("drop_path", DropPath(options.drop_path()));
}

void InvertedResidualImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::InvertedResidual(" << options.in_chans() << ", " << options.out_chans()
         << ", stride=" << options.stride() << ", expansion=" << options.expansion() << ")";
}

torch::Tensor InvertedResidualImpl::forward(const torch::Tensor& x) {
  if (detail::checkpoints()) {
    return detail::checkpointed(*this, x, [this](const torch::Tensor& in) { return forward(in); });
  }
  const bool residual = options.stride() == 1 && options.in_chans() == options.out_chans();
  const auto y = conv3_1x1(conv2_kxk(conv1_1x1(x)));  // [B, out_chans, H', W']
  // Without a shortcut nothing would be left of an image whose branch is dropped.
  return observed(*this, residual ? drop_path(y) + x : y);
}

}  // namespace vitrine
