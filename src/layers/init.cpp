#include "vitrine/layers/init.h"

#include <ATen/ops/erfinv.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "layers/skip_init.h"

namespace vitrine {

void trunc_normal_(const torch::Tensor& tensor, double std) {
  constexpr double kBound = 2.0;
  // The largest float below 1: the inverse of 1 itself is infinite.
  constexpr double kBelowOne = 1 - 0x1p-24;
  TORCH_CHECK_VALUE(std > 0, "trunc_normal_: std must be above 0, got ", std);
  if (detail::skips_init()) {
    return;
  }
  const torch::NoGradGuard no_grad;
  // The inverse of the distribution function turns uniform numbers into normal ones; a uniform
  // number from a part of (-1, 1) gives a normal one within bounds.
  const double limit = std::min(std::erf(kBound / std / std::sqrt(2.0)), kBelowOne);
  tensor.uniform_(-limit, limit);
  tensor.erfinv_();
  tensor.mul_(std * std::sqrt(2.0));
  tensor.clamp_(-kBound, kBound);
}

void init_transformer_(torch::nn::LinearImpl& linear) {
  const torch::NoGradGuard no_grad;
  trunc_normal_(linear.weight, 0.02);
  if (linear.bias.defined()) {
    linear.bias.zero_();
  }
}

void init_mobile_(torch::nn::LinearImpl& linear) {
  if (detail::skips_init()) {
    return;
  }
  const torch::NoGradGuard no_grad;
  linear.weight.normal_(0.0, 0.01);
  if (linear.bias.defined()) {
    linear.bias.zero_();
  }
}

void init_mobile_(torch::nn::Conv2dImpl& convolution) {
  const torch::NoGradGuard no_grad;
  const auto& weight = convolution.weight;  // [out, in / groups, kh, kw]
  const auto fan_out =
      weight.size(0) * weight.size(2) * weight.size(3) / convolution.options.groups();
  weight.normal_(0.0, std::sqrt(2.0 / static_cast<double>(fan_out)));
  if (convolution.bias.defined()) {
    convolution.bias.zero_();
  }
}

}  // namespace vitrine
