#include "vitrine/layers/linear_attention.h"

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"

namespace vitrine {

namespace nn = torch::nn;

LinearAttentionImpl::LinearAttentionImpl(const LinearAttentionOptions& options_)
    : options(options_) {
  reset();
}

void LinearAttentionImpl::reset() {
  const auto dim = options.dim();
  detail::check_positive("LinearAttention", "dim", dim);
  detail::check_drop("LinearAttention", "attn_drop", options.attn_drop());
  detail::check_drop("LinearAttention", "proj_drop", options.proj_drop());
  qkv_proj = register_module(
      "qkv_proj", nn::Conv2d(nn::Conv2dOptions(dim, 1 + 2 * dim, /*kernel_size=*/1)));
  attn_drop = register_module("attn_drop", nn::Dropout(options.attn_drop()));
  out_proj =
      register_module("out_proj", nn::Conv2d(nn::Conv2dOptions(dim, dim, /*kernel_size=*/1)));
  out_drop = register_module("out_drop", nn::Dropout(options.proj_drop()));
  init_mobile_(*qkv_proj);
  init_mobile_(*out_proj);
}

void LinearAttentionImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::LinearAttention(dim=" << options.dim() << ")";
}

torch::Tensor LinearAttentionImpl::forward(const torch::Tensor& x) {
  const auto c = options.dim();
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(1) == c,
      "LinearAttention: expected tokens [B, ",
      c,
      ", P, N], got ",
      x.sizes());
  const auto parts = qkv_proj(x).split_with_sizes({1, c, c}, /*dim=*/1);
  const auto weights = observed_attention(*this, parts[0].softmax(-1));  // [B, 1, P, N]
  const auto context =
      (parts[1] * attn_drop(weights)).sum(/*dim=*/-1, /*keepdim=*/true);  // [B, C, P, 1]
  const auto y = parts[2].relu() * context;                               // [B, C, P, N]
  return observed(*this, out_drop(out_proj(y)));
}

}  // namespace vitrine
