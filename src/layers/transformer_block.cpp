#include "vitrine/layers/transformer_block.h"

#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/grad_checkpointing.h"

namespace vitrine {

namespace nn = torch::nn;

TransformerBlockImpl::TransformerBlockImpl(const TransformerBlockOptions& options_)
    : options(options_) {
  reset();
}

void TransformerBlockImpl::reset() {
  const auto dim = options.dim();
  detail::check_positive("TransformerBlock", "dim", dim);
  detail::check_eps("TransformerBlock", options.norm_eps());
  const auto norm = nn::LayerNormOptions({dim}).eps(options.norm_eps());
  const auto hidden = detail::scaled_dim("TransformerBlock", "mlp_ratio", dim, options.mlp_ratio());
  norm1 = register_module("norm1", nn::LayerNorm(norm));
  attn = register_module(
      "attn",
      Attention(AttentionOptions(dim, options.num_heads())
                    .head_dim(options.head_dim())
                    .qkv_bias(options.qkv_bias())
                    .proj_bias(options.proj_bias())
                    .attn_drop(options.attn_drop())
                    .proj_drop(options.proj_drop())));
  if (options.init_values() != 0) {
    ls1 = register_module("ls1", LayerScale(dim, options.init_values()));
  }
  drop_path1 = register_module("drop_path1", DropPath(options.drop_path()));
  norm2 = register_module("norm2", nn::LayerNorm(norm));
  mlp = register_module(
      "mlp",
      Mlp(MlpOptions(dim, hidden)
              .activation(options.activation())
              .gated(options.gated_mlp())
              .drop(options.proj_drop())));
  if (options.init_values() != 0) {
    ls2 = register_module("ls2", LayerScale(dim, options.init_values()));
  }
  drop_path2 = register_module("drop_path2", DropPath(options.drop_path()));
}

void TransformerBlockImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::TransformerBlock(dim=" << options.dim()
         << ", num_heads=" << options.num_heads() << ")";
}

torch::Tensor TransformerBlockImpl::forward(const torch::Tensor& x) {
  if (detail::checkpoints()) {
    return detail::checkpointed(*this, x, [this](const torch::Tensor& in) { return forward(in); });
  }
  TORCH_CHECK_VALUE(
      x.dim() == 3 && x.size(2) == options.dim(),
      "TransformerBlock: expected tokens [B, N, ",
      options.dim(),
      "], got ",
      x.sizes());
  const auto attended = attn(norm1(x));                              // [B, N, C]
  const auto y = x + drop_path1(ls1 ? ls1(attended) : attended);     // [B, N, C]
  const auto mixed = mlp(norm2(y));                                  // [B, N, C]
  return observed(*this, y + drop_path2(ls2 ? ls2(mixed) : mixed));  // [B, N, C]
}

}  // namespace vitrine
