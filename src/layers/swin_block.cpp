#include "vitrine/layers/swin_block.h"

#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/grad_checkpointing.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

void check_swin_block(const SwinBlockOptions& options) {
  const auto resolution = options.input_resolution();
  TORCH_CHECK_VALUE(
      resolution[0] > 0 && resolution[1] > 0 && options.window_size() > 0,
      "SwinBlock: input_resolution and window_size must be at least 1, got ",
      resolution[0],
      "x",
      resolution[1],
      " and ",
      options.window_size());
  detail::check_positive("SwinBlock", "dim", options.dim());
  detail::check_eps("SwinBlock", options.norm_eps());
  TORCH_CHECK_VALUE(
      options.version() == 1 || options.version() == 2,
      "SwinBlock: version must be 1 or 2, got ",
      options.version());
}

}  // namespace

SwinBlockImpl::SwinBlockImpl(const SwinBlockOptions& options_) : options(options_) {
  reset();
}

void SwinBlockImpl::reset() {
  check_swin_block(options);
  const auto dim = options.dim();
  const auto resolution = options.input_resolution();
  const bool second = options.version() == 2;
  Size2 padded{};
  for (size_t i = 0; i < 2; ++i) {
    window_[i] = std::min(options.window_size(), resolution[i]);
    const bool covered = resolution[i] <= options.window_size();
    shift_[i] = options.shifted() && !covered ? options.window_size() / 2 : 0;
    padded[i] = round_up(resolution[i], window_[i]);
  }
  const auto norm = nn::LayerNormOptions({dim}).eps(options.norm_eps());
  const auto hidden = detail::scaled_dim("SwinBlock", "mlp_ratio", dim, options.mlp_ratio());
  const auto pretrained = options.pretrained_window_size();
  norm1 = register_module("norm1", nn::LayerNorm(norm));
  attn = register_module(
      "attn",
      WindowAttention(WindowAttentionOptions(dim, options.num_heads(), window_)
                          .qkv_bias(options.qkv_bias())
                          .cosine(second)
                          .pretrained_window_size({pretrained, pretrained})
                          .attn_drop(options.attn_drop())
                          .proj_drop(options.proj_drop())));
  drop_path1 = register_module("drop_path1", DropPath(options.drop_path()));
  norm2 = register_module("norm2", nn::LayerNorm(norm));
  mlp = register_module("mlp", Mlp(MlpOptions(dim, hidden).drop(options.proj_drop())));
  drop_path2 = register_module("drop_path2", DropPath(options.drop_path()));
  if (second) {
    // Every block starts as the identity (the paper's code).
    const torch::NoGradGuard no_grad;
    norm1->weight.zero_();
    norm2->weight.zero_();
  }
  if (shift_ != Size2{0, 0}) {
    attn_mask = register_buffer("attn_mask", shifted_window_mask(padded, window_, shift_));
  }
}

void SwinBlockImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::SwinBlock(dim=" << options.dim() << ", num_heads=" << options.num_heads()
         << ", window_size=" << window_[0] << "x" << window_[1] << ", shift=" << shift_[0] << "x"
         << shift_[1] << ")";
}

torch::Tensor SwinBlockImpl::attend(const torch::Tensor& x) {
  const auto rows = x.size(1);
  const auto columns = x.size(2);
  const bool shifted = shift_ != Size2{0, 0};
  auto y = shifted ? x.roll({-shift_[0], -shift_[1]}, {1, 2}) : x;  // [B, H, W, C]
  const Size2 padded{round_up(rows, window_[0]), round_up(columns, window_[1])};
  if (padded != Size2{rows, columns}) {
    y = torch::constant_pad_nd(y, {0, 0, 0, padded[1] - columns, 0, padded[0] - rows});
  }
  y = attn(window_partition(y, window_), attn_mask);                              // [B * G, N, C]
  y = window_reverse(y, window_, padded).slice(1, 0, rows).slice(2, 0, columns);  // [B, H, W, C]
  return shifted ? y.roll({shift_[0], shift_[1]}, {1, 2}) : y;
}

torch::Tensor SwinBlockImpl::forward(const torch::Tensor& x) {
  if (detail::checkpoints()) {
    return detail::checkpointed(*this, x, [this](const torch::Tensor& in) { return forward(in); });
  }
  const auto resolution = options.input_resolution();
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(1) == resolution[0] && x.size(2) == resolution[1] &&
          x.size(3) == options.dim(),
      "SwinBlock: expected a map [B, ",
      resolution[0],
      ", ",
      resolution[1],
      ", ",
      options.dim(),
      "], got ",
      x.sizes());
  if (options.version() == 2) {
    const auto y = x + drop_path1(norm1(attend(x)));        // [B, H, W, C]
    return observed(*this, y + drop_path2(norm2(mlp(y))));  // [B, H, W, C]
  }
  const auto y = x + drop_path1(attend(norm1(x)));        // [B, H, W, C]
  return observed(*this, y + drop_path2(mlp(norm2(y))));  // [B, H, W, C]
}

}  // namespace vitrine
