#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "vitrine/export.h"

namespace vitrine {

/// Fills `tensor` from a normal distribution of mean 0 and deviation `std`, cut off at -2 and 2.
VITRINE_API void trunc_normal_(const torch::Tensor& tensor, double std);

/// Weight from `trunc_normal_` with deviation 0.02, bias zero: the vision transformers' linear
/// layers (Dosovitskiy et al. 2020; Liu et al. 2021).
VITRINE_API void init_transformer_(torch::nn::LinearImpl& linear);

/// Weight from a normal distribution of deviation 0.01, bias zero: the linear layers of MobileViT
/// (Mehta & Rastegari 2021).
VITRINE_API void init_mobile_(torch::nn::LinearImpl& linear);

/// Weight from a normal distribution whose variance is 2 / fan-out, bias zero (He et al. 2015).
VITRINE_API void init_mobile_(torch::nn::Conv2dImpl& convolution);

}  // namespace vitrine
