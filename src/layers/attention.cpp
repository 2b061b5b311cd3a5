#include "vitrine/layers/attention.h"

#include <cmath>

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/linear.h"

namespace vitrine {

namespace nn = torch::nn;

AttentionImpl::AttentionImpl(const AttentionOptions& options_) : options(options_) {
  reset();
}

void AttentionImpl::reset() {
  const auto dim = options.dim();
  const auto heads = options.num_heads();
  TORCH_CHECK_VALUE(
      dim > 0 && heads > 0,
      "Attention: dim and num_heads must be at least 1, got ",
      dim,
      " and ",
      heads);
  TORCH_CHECK_VALUE(
      options.head_dim() >= 0,
      "Attention: head_dim must be at least 1, or 0 for dim / num_heads, got ",
      options.head_dim());
  TORCH_CHECK_VALUE(
      options.head_dim() > 0 || dim % heads == 0,
      "Attention: dim must be a multiple of num_heads, or head_dim be given; got ",
      dim,
      " and ",
      heads);
  detail::check_drop("Attention", "attn_drop", options.attn_drop());
  detail::check_drop("Attention", "proj_drop", options.proj_drop());
  if (options.head_dim() == 0) {
    options.head_dim(dim / heads);
  }
  const auto inner = heads * options.head_dim();
  qkv = register_module(
      "qkv", detail::make_linear(nn::LinearOptions(dim, 3 * inner).bias(options.qkv_bias())));
  proj = register_module(
      "proj", detail::make_linear(nn::LinearOptions(inner, dim).bias(options.proj_bias())));
  proj_drop = register_module("proj_drop", nn::Dropout(options.proj_drop()));
  init_transformer_(*qkv);
  init_transformer_(*proj);
}

void AttentionImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::Attention(dim=" << options.dim() << ", num_heads=" << options.num_heads()
         << ", head_dim=" << options.head_dim() << ")";
}

/// Queries, keys and values [B, M, N, D] to weighted values, shaped alike.
torch::Tensor AttentionImpl::attend(
    const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v) {
  if (!attention_wanted()) {
    return torch::scaled_dot_product_attention(
        q, k, v, /*attn_mask=*/{}, is_training() ? options.attn_drop() : 0.0);
  }
  const auto scale = 1 / std::sqrt(static_cast<double>(options.head_dim()));
  const auto weights = observed_attention(
      *this, (q * scale).matmul(k.transpose(-2, -1)).softmax(-1));  // [B, M, N, N]
  return torch::dropout(weights, options.attn_drop(), is_training()).matmul(v);
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& x) {
  TORCH_CHECK_VALUE(
      x.dim() == 3 && x.size(2) == options.dim(),
      "Attention: expected tokens [B, N, ",
      options.dim(),
      "], got ",
      x.sizes());
  const auto b = x.size(0);
  const auto n = x.size(1);
  const auto heads = options.num_heads();
  const auto d = options.head_dim();
  const auto parts =
      detail::linear(qkv, x).view({b, n, 3, heads, d}).permute({2, 0, 3, 1, 4});  // [3, B, M, N, D]
  auto y = attend(parts[0], parts[1], parts[2]);                                  // [B, M, N, D]
  y = y.transpose(1, 2).reshape({b, n, heads * d});                               // [B, N, M * D]
  return observed(*this, proj_drop(detail::linear(proj, y)));                     // [B, N, C]
}

}  // namespace vitrine
