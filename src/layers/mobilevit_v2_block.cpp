#include "vitrine/layers/mobilevit_v2_block.h"

#include "vitrine/layers/init.h"
#include "vitrine/layers/linear_transformer_block.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/grad_checkpointing.h"
#include "layers/resize.h"

namespace vitrine {

namespace nn = torch::nn;

MobileVitV2BlockImpl::MobileVitV2BlockImpl(const MobileVitV2BlockOptions& options_)
    : options(options_) {
  reset();
}

void MobileVitV2BlockImpl::reset() {
  const auto chans = options.chans();
  const auto dim = options.transformer_dim();
  detail::check_positive("MobileVitV2Block", "chans", chans);
  detail::check_positive("MobileVitV2Block", "transformer_dim", dim);
  detail::check_positive("MobileVitV2Block", "patch_size", options.patch_size());
  TORCH_CHECK_VALUE(
      options.transformer_depth() > 0 && options.transformer_depth() <= detail::kMostBlocks,
      "MobileVitV2Block: transformer_depth must be 1 to ",
      detail::kMostBlocks,
      ", got ",
      options.transformer_depth());
  conv_kxk =
      register_module("conv_kxk", ConvNormAct(ConvNormActOptions(chans, chans, 3).groups(chans)));
  conv_1x1 = register_module(
      "conv_1x1", nn::Conv2d(nn::Conv2dOptions(chans, dim, /*kernel_size=*/1).bias(false)));
  nn::Sequential blocks;
  for (int64_t i = 0; i < options.transformer_depth(); ++i) {
    blocks->push_back(LinearTransformerBlock(LinearTransformerBlockOptions(dim)
                                                 .mlp_ratio(options.mlp_ratio())
                                                 .proj_drop(options.proj_drop())
                                                 .attn_drop(options.attn_drop())
                                                 .drop_path(options.drop_path())));
  }
  transformer = register_module("transformer", blocks);
  norm = register_module("norm", nn::GroupNorm(nn::GroupNormOptions(/*num_groups=*/1, dim)));
  conv_proj = register_module(
      "conv_proj", ConvNormAct(ConvNormActOptions(dim, chans, 1).activation(Activation::None)));
  init_mobile_(*conv_1x1);
}

void MobileVitV2BlockImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::MobileVitV2Block(chans=" << options.chans()
         << ", transformer_dim=" << options.transformer_dim()
         << ", transformer_depth=" << options.transformer_depth()
         << ", patch_size=" << options.patch_size() << ")";
}

torch::Tensor MobileVitV2BlockImpl::forward(const torch::Tensor& x) {
  if (detail::checkpoints()) {
    return detail::checkpointed(*this, x, [this](const torch::Tensor& in) { return forward(in); });
  }
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(1) == options.chans() && x.size(2) > 0 && x.size(3) > 0,
      "MobileVitV2Block: expected a map [B, ",
      options.chans(),
      ", H, W], got ",
      x.sizes());
  const auto b = x.size(0);
  const auto c = options.transformer_dim();
  const auto p = options.patch_size();
  const auto rows = (x.size(2) + p - 1) / p;
  const auto columns = (x.size(3) + p - 1) / p;

  auto y = x;
  if (x.size(2) != rows * p || x.size(3) != columns * p) {
    y = detail::resized(x, {rows * p, columns * p}, [](const torch::Tensor& map, const Size2& to) {
      return torch::upsample_bilinear2d(map, to, /*align_corners=*/true);
    });
  }
  y = conv_1x1(conv_kxk(y));  // [B, D, H, W]
  y = y.reshape({b, c, rows, p, columns, p})
          .permute({0, 1, 3, 5, 2, 4})              // [B, D, p, p, rows, columns]
          .reshape({b, c, p * p, rows * columns});  // [B, D, P, N]
  y = observed(*this, y, "unfold");
  y = norm(transformer->forward(y));  // [B, D, P, N]
  y = y.reshape({b, c, p, p, rows, columns})
          .permute({0, 1, 4, 2, 5, 3})              // [B, D, rows, p, columns, p]
          .reshape({b, c, rows * p, columns * p});  // [B, D, H, W]
  y = observed(*this, y, "fold");
  return observed(*this, conv_proj(y));  // [B, C, H, W]
}

}  // namespace vitrine
