#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <ostream>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Stochastic depth: while training, drops the whole residual branch of an image with probability
/// `p`, in [0, 1), and scales those that stay by 1 / (1 - p); otherwise the identity.
///
/// Shapes: x [B, ...]; the result is shaped alike.
/// Source: Huang et al. (2016), "Deep Networks with Stochastic Depth",
/// https://arxiv.org/abs/1603.09382.
class VITRINE_API DropPathImpl final : public torch::nn::Cloneable<DropPathImpl> {
 public:
  explicit DropPathImpl(double p_ = 0.0);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  double p;
};
TORCH_MODULE(DropPath);

/// Rates that rise linearly from 0 at the first of `depth` blocks to `rate` at the last.
VITRINE_API std::vector<double> drop_path_rates(double rate, int64_t depth);

}  // namespace vitrine
