#include "vitrine/layers/patch_merging.h"

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/linear.h"

namespace vitrine {

namespace nn = torch::nn;

PatchMergingImpl::PatchMergingImpl(const PatchMergingOptions& options_) : options(options_) {
  reset();
}

void PatchMergingImpl::reset() {
  TORCH_CHECK_VALUE(
      options.dim() > 0 && options.out_dim() > 0,
      "PatchMerging: dim and out_dim must be at least 1, got ",
      options.dim(),
      " and ",
      options.out_dim());
  detail::check_eps("PatchMerging", options.norm_eps());
  const auto merged = 4 * options.dim();
  const auto normalised = options.post_norm() ? options.out_dim() : merged;
  norm = register_module(
      "norm", nn::LayerNorm(nn::LayerNormOptions({normalised}).eps(options.norm_eps())));
  reduction = register_module(
      "reduction", detail::make_linear(nn::LinearOptions(merged, options.out_dim()).bias(false)));
  init_transformer_(*reduction);
}

void PatchMergingImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::PatchMerging(dim=" << options.dim() << ", out_dim=" << options.out_dim()
         << ")";
}

torch::Tensor PatchMergingImpl::forward(const torch::Tensor& x) {
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(3) == options.dim(),
      "PatchMerging: expected a map [B, H, W, ",
      options.dim(),
      "], got ",
      x.sizes());
  auto even = x;
  if (x.size(1) % 2 != 0 || x.size(2) % 2 != 0) {
    TORCH_CHECK_VALUE(
        options.pad_odd(),
        "PatchMerging: expected even rows and columns, got ",
        x.size(1),
        "x",
        x.size(2),
        "; pad_odd(true) pads them");
    even = torch::constant_pad_nd(x, {0, 0, 0, x.size(2) % 2, 0, x.size(1) % 2});
  }
  const auto corner = [&](int64_t row, int64_t column) {
    return even.slice(1, row, c10::nullopt, 2).slice(2, column, c10::nullopt, 2);
  };
  // Column by column, the order in which the published weights expect them.
  const auto merged = torch::cat(
      {corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)}, -1);  // [B, H/2, W/2, 4C]
  if (options.post_norm()) {
    return observed(*this, norm(detail::linear(reduction, merged)));  // [B, H/2, W/2, out_dim]
  }
  return observed(*this, detail::linear(reduction, norm(merged)));  // [B, H/2, W/2, out_dim]
}

}  // namespace vitrine
