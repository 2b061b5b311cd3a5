#include "vitrine/layers/mobilevit_block.h"

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"
#include "vitrine/layers/transformer_block.h"

#include "layers/checks.h"
#include "layers/grad_checkpointing.h"
#include "layers/resize.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

torch::Tensor scale_bilinearly(const torch::Tensor& map, Size2 size) {
  return detail::resized(map, size, [](const torch::Tensor& x, const Size2& to) {
    return torch::upsample_bilinear2d(x, to, /*align_corners=*/false);
  });
}

}  // namespace

torch::Tensor unfold_patches(const torch::Tensor& map, Size2 patch) {
  TORCH_CHECK_VALUE(
      map.dim() == 4 && patch[0] > 0 && patch[1] > 0 && map.size(2) > 0 && map.size(3) > 0 &&
          map.size(2) % patch[0] == 0 && map.size(3) % patch[1] == 0,
      "unfold_patches: expected a map [B, C, H, W], H and W multiples of ",
      patch[0],
      "x",
      patch[1],
      ", got ",
      map.sizes());
  const auto b = map.size(0);
  const auto c = map.size(1);
  const auto rows = map.size(2) / patch[0];
  const auto columns = map.size(3) / patch[1];
  return map.reshape({b, c, rows, patch[0], columns, patch[1]})
      .permute({0, 3, 5, 2, 4, 1})                             // [B, p, p, rows, columns, C]
      .reshape({b * patch[0] * patch[1], rows * columns, c});  // [B * P, N, C]
}

torch::Tensor fold_patches(const torch::Tensor& patches, Size2 patch, Size2 size) {
  const auto places = patch[0] * patch[1];
  TORCH_CHECK_VALUE(
      patches.dim() == 3 && patch[0] > 0 && patch[1] > 0 && size[0] % patch[0] == 0 &&
          size[1] % patch[1] == 0 && patches.size(0) % places == 0 &&
          patches.size(1) * places == size[0] * size[1],
      "fold_patches: expected patches of ",
      patch[0],
      "x",
      patch[1],
      " that fill a map of ",
      size[0],
      "x",
      size[1],
      ", got ",
      patches.sizes());
  const auto c = patches.size(2);
  const auto rows = size[0] / patch[0];
  const auto columns = size[1] / patch[1];
  return patches.reshape({-1, patch[0], patch[1], rows, columns, c})
      .permute({0, 5, 3, 1, 4, 2})          // [B, C, rows, p, columns, p]
      .reshape({-1, c, size[0], size[1]});  // [B, C, H, W]
}

MobileVitBlockImpl::MobileVitBlockImpl(const MobileVitBlockOptions& options_) : options(options_) {
  reset();
}

void MobileVitBlockImpl::reset() {
  const auto chans = options.chans();
  const auto dim = options.transformer_dim();
  detail::check_positive("MobileVitBlock", "chans", chans);
  detail::check_positive("MobileVitBlock", "transformer_dim", dim);
  TORCH_CHECK_VALUE(
      options.patch_size() > 0 && options.transformer_depth() > 0 &&
          options.transformer_depth() <= detail::kMostBlocks,
      "MobileVitBlock: patch_size must be at least 1 and transformer_depth 1 to ",
      detail::kMostBlocks,
      ", got ",
      options.patch_size(),
      " and ",
      options.transformer_depth());
  conv_kxk = register_module("conv_kxk", ConvNormAct(ConvNormActOptions(chans, chans, 3)));
  conv_1x1 = register_module(
      "conv_1x1", nn::Conv2d(nn::Conv2dOptions(chans, dim, /*kernel_size=*/1).bias(false)));
  nn::Sequential blocks;
  for (int64_t i = 0; i < options.transformer_depth(); ++i) {
    blocks->push_back(TransformerBlock(TransformerBlockOptions(dim, options.num_heads())
                                           .mlp_ratio(options.mlp_ratio())
                                           .activation(Activation::Silu)
                                           .norm_eps(1e-5)
                                           .proj_drop(options.proj_drop())
                                           .attn_drop(options.attn_drop())
                                           .drop_path(options.drop_path())));
  }
  transformer = register_module("transformer", blocks);
  for (const auto& module : transformer->modules(/*include_self=*/false)) {
    if (auto* linear = module->as<nn::LinearImpl>()) {
      init_mobile_(*linear);
    }
  }
  norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({dim}).eps(1e-5)));
  conv_proj = register_module("conv_proj", ConvNormAct(ConvNormActOptions(dim, chans, 1)));
  conv_fusion =
      register_module("conv_fusion", ConvNormAct(ConvNormActOptions(2 * chans, chans, 3)));
  init_mobile_(*conv_1x1);
}

void MobileVitBlockImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::MobileVitBlock(chans=" << options.chans()
         << ", transformer_dim=" << options.transformer_dim()
         << ", transformer_depth=" << options.transformer_depth()
         << ", patch_size=" << options.patch_size() << ")";
}

torch::Tensor MobileVitBlockImpl::forward(const torch::Tensor& x) {
  if (detail::checkpoints()) {
    return detail::checkpointed(*this, x, [this](const torch::Tensor& in) { return forward(in); });
  }
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(1) == options.chans() && x.size(2) > 0 && x.size(3) > 0,
      "MobileVitBlock: expected a map [B, ",
      options.chans(),
      ", H, W], got ",
      x.sizes());
  const auto side = options.patch_size();
  const Size2 patch{side, side};
  const Size2 size{x.size(2), x.size(3)};
  const Size2 whole{(size[0] + side - 1) / side * side, (size[1] + side - 1) / side * side};

  auto y = conv_1x1(conv_kxk(x));  // [B, D, H, W]
  if (whole != size) {
    y = scale_bilinearly(y, whole);
  }
  y = observed(*this, unfold_patches(y, patch), "unfold");     // [B * P, N, D]
  y = norm(transformer->forward(y));                           // [B * P, N, D]
  y = observed(*this, fold_patches(y, patch, whole), "fold");  // [B, D, H, W]
  if (whole != size) {
    y = scale_bilinearly(y, size);
  }
  y = torch::cat({x, conv_proj(y)}, /*dim=*/1);  // [B, 2C, H, W]
  return observed(*this, conv_fusion(y));        // [B, C, H, W]
}

}  // namespace vitrine
