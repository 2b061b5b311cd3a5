#include "vitrine/layers/linear_transformer_block.h"

#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/grad_checkpointing.h"

namespace vitrine {

namespace nn = torch::nn;

LinearTransformerBlockImpl::LinearTransformerBlockImpl(
    const LinearTransformerBlockOptions& options_)
    : options(options_) {
  reset();
}

void LinearTransformerBlockImpl::reset() {
  const auto dim = options.dim();
  detail::check_positive("LinearTransformerBlock", "dim", dim);
  const auto hidden =
      detail::scaled_dim("LinearTransformerBlock", "mlp_ratio", dim, options.mlp_ratio());
  const nn::GroupNormOptions norm(/*num_groups=*/1, dim);
  norm1 = register_module("norm1", nn::GroupNorm(norm));
  attn = register_module(
      "attn",
      LinearAttention(LinearAttentionOptions(dim)
                          .attn_drop(options.attn_drop())
                          .proj_drop(options.proj_drop())));
  drop_path1 = register_module("drop_path1", DropPath(options.drop_path()));
  norm2 = register_module("norm2", nn::GroupNorm(norm));
  mlp = register_module(
      "mlp",
      ConvMlp(MlpOptions(dim, hidden).activation(options.activation()).drop(options.proj_drop())));
  drop_path2 = register_module("drop_path2", DropPath(options.drop_path()));
}

void LinearTransformerBlockImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::LinearTransformerBlock(dim=" << options.dim() << ")";
}

torch::Tensor LinearTransformerBlockImpl::forward(const torch::Tensor& x) {
  if (detail::checkpoints()) {
    return detail::checkpointed(*this, x, [this](const torch::Tensor& in) { return forward(in); });
  }
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(1) == options.dim(),
      "LinearTransformerBlock: expected tokens [B, ",
      options.dim(),
      ", P, N], got ",
      x.sizes());
  const auto y = x + drop_path1(attn(norm1(x)));          // [B, C, P, N]
  return observed(*this, y + drop_path2(mlp(norm2(y))));  // [B, C, P, N]
}

}  // namespace vitrine
