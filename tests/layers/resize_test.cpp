#include "layers/resize.h"

#include <torch/csrc/autograd/autograd.h>

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include "support/tensor_assert.h"

namespace vitrine {
namespace {

using Size = std::array<int64_t, 2>;
using Resize = std::function<torch::Tensor(const torch::Tensor&, const Size&)>;

/// Has LibTorch asked for deterministic algorithms while it lives.
class Determinism {
 public:
  Determinism() { at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false); }
  ~Determinism() { at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false); }
  Determinism(const Determinism&) = delete;
  Determinism& operator=(const Determinism&) = delete;
};

TEST(Resized, IsTheSameByMatricesWithItsGradient) {
  const std::vector<Resize> filters = {
      [](const torch::Tensor& map, const Size& size) {
        return torch::upsample_bilinear2d(map, size, /*align_corners=*/false);
      },
      [](const torch::Tensor& map, const Size& size) {
        return torch::upsample_bilinear2d(map, size, /*align_corners=*/true);
      },
      [](const torch::Tensor& map, const Size& size) {
        return torch::_upsample_bicubic2d_aa(map, size, /*align_corners=*/false);
      },
      // The sizes and the offset that DINO's rule adds to them.
      [](const torch::Tensor& map, const Size& size) {
        const auto scale = [&](std::size_t i) {
          return (static_cast<double>(size[i]) + 0.1) / (i == 0 ? 7.0 : 5.0);
        };
        return torch::upsample_bicubic2d(map, size, false, scale(0), scale(1));
      }};
  torch::manual_seed(0);
  for (std::size_t i = 0; i < filters.size(); ++i) {
    for (const auto& size : {Size{8, 6}, Size{14, 10}, Size{4, 3}}) {
      SCOPED_TRACE(i);
      const auto map = torch::randn({2, 3, 7, 5}).requires_grad_();
      const auto doubles = map.detach().to(torch::kDouble);
      const auto exact = detail::resized(doubles, size, filters[i]);
      const auto weights = torch::randn({2, 3, size[0], size[1]});
      const auto expected = detail::resized(map, size, filters[i]);
      const auto gradient = torch::autograd::grad({(expected * weights).sum()}, {map})[0];
      const Determinism determinism;
      const auto found = detail::resized(map, size, filters[i]);
      EXPECT_TENSOR_NEAR(found, expected, 1e-5);
      EXPECT_TENSOR_NEAR(detail::resized(doubles, size, filters[i]), exact, 1e-12);
      EXPECT_TENSOR_NEAR(
          torch::autograd::grad({(found * weights).sum()}, {map})[0], gradient, 1e-5);
    }
  }
}

}  // namespace
}  // namespace vitrine
