#include "vitrine/layers/window_attention.h"

#include <torch/nn/functional/normalization.h>
#include <torch/nn/modules/activation.h>

#include <cmath>

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"
#include "vitrine/layers/relative_position.h"

#include "layers/checks.h"
#include "layers/linear.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

/// Whether a map of `size` is a whole number of windows along both sides.
bool divides(Size2 window, Size2 size) {
  return window[0] > 0 && window[1] > 0 && size[0] > 0 && size[1] > 0 && size[0] % window[0] == 0 &&
         size[1] % window[1] == 0;
}

/// Which of the three bands along one side each row belongs to once it is shifted: the windows
/// untouched, the last window's part from this end, its part from the other end.
torch::Tensor shift_bands(int64_t size, int64_t window, int64_t shift) {
  auto bands = torch::zeros({size}, torch::kLong);
  if (shift > 0) {
    bands.slice(0, size - window, size - shift).fill_(1);
    bands.slice(0, size - shift).fill_(2);
  }
  return bands;
}

}  // namespace

torch::Tensor window_partition(const torch::Tensor& x, Size2 window) {
  TORCH_CHECK_VALUE(
      x.dim() == 4 && divides(window, {x.size(1), x.size(2)}),
      "window_partition: expected a map [B, H, W, C], H and W multiples of ",
      window[0],
      "x",
      window[1],
      ", got ",
      x.sizes());
  const auto b = x.size(0);
  const auto c = x.size(3);
  const auto rows = x.size(1) / window[0];
  const auto columns = x.size(2) / window[1];
  return x.reshape({b, rows, window[0], columns, window[1], c})
      .transpose(2, 3)
      .reshape({b * rows * columns, window[0] * window[1], c});  // [B * G, N, C]
}

torch::Tensor window_reverse(const torch::Tensor& windows, Size2 window, Size2 size) {
  const auto count = divides(window, size) ? size[0] / window[0] * (size[1] / window[1]) : 0;
  TORCH_CHECK_VALUE(
      count > 0 && windows.dim() == 3 && windows.size(1) == window[0] * window[1] &&
          windows.size(0) % count == 0,
      "window_reverse: expected windows of ",
      window[0],
      "x",
      window[1],
      " that fill maps of ",
      size[0],
      "x",
      size[1],
      ", got ",
      windows.sizes());
  const auto c = windows.size(2);
  const auto rows = size[0] / window[0];
  const auto columns = size[1] / window[1];
  return windows.reshape({-1, rows, columns, window[0], window[1], c})
      .transpose(2, 3)
      .reshape({-1, size[0], size[1], c});  // [B, H, W, C]
}

torch::Tensor shifted_window_mask(Size2 size, Size2 window, Size2 shift) {
  TORCH_CHECK_VALUE(
      divides(window, size) && shift[0] >= 0 && shift[1] >= 0 && shift[0] < window[0] &&
          shift[1] < window[1],
      "shifted_window_mask: expected a size that is a multiple of the window, and a shift below "
      "it; got ",
      size[0],
      "x",
      size[1],
      ", ",
      window[0],
      "x",
      window[1],
      " and ",
      shift[0],
      "x",
      shift[1]);
  const auto y = shift_bands(size[0], window[0], shift[0]);
  const auto x = shift_bands(size[1], window[1], shift[1]);
  const auto region = (y.unsqueeze(1) * 3 + x).view({1, size[0], size[1], 1});
  const auto of_token = window_partition(region, window).squeeze(2);          // [G, N]
  const auto apart = of_token.unsqueeze(1).not_equal(of_token.unsqueeze(2));  // [G, N, N]
  return torch::zeros(apart.sizes(), torch::kFloat)
      .masked_fill_(apart, -100.0);  // as the paper's code
}

WindowAttentionImpl::WindowAttentionImpl(const WindowAttentionOptions& options_)
    : options(options_) {
  reset();
}

void WindowAttentionImpl::reset() {
  const auto dim = options.dim();
  const auto heads = options.num_heads();
  const auto window = options.window_size();
  TORCH_CHECK_VALUE(
      heads > 0 && dim > 0 && dim % heads == 0,
      "WindowAttention: dim must be a multiple of num_heads, got ",
      dim,
      " and ",
      heads);
  TORCH_CHECK_VALUE(
      window[0] > 0 && window[1] > 0,
      "WindowAttention: window_size must be at least 1, got ",
      window[0],
      "x",
      window[1]);
  detail::check_drop("WindowAttention", "attn_drop", options.attn_drop());
  detail::check_drop("WindowAttention", "proj_drop", options.proj_drop());
  relative_position_index = register_buffer("relative_position_index", offset_index(window));
  if (options.cosine()) {
    reset_cosine();
  } else {
    const auto offsets = (2 * window[0] - 1) * (2 * window[1] - 1);
    relative_position_bias_table =
        register_parameter("relative_position_bias_table", torch::empty({offsets, heads}));
  }
  const bool whole_bias = options.qkv_bias() && !options.cosine();
  qkv =
      register_module("qkv", detail::make_linear(nn::LinearOptions(dim, 3 * dim).bias(whole_bias)));
  attn_drop = register_module("attn_drop", nn::Dropout(options.attn_drop()));
  proj = register_module("proj", detail::make_linear({dim, dim}));
  proj_drop = register_module("proj_drop", nn::Dropout(options.proj_drop()));
  if (relative_position_bias_table.defined()) {
    trunc_normal_(relative_position_bias_table, 0.02);
  }
  init_transformer_(*qkv);
  init_transformer_(*proj);
}

void WindowAttentionImpl::reset_cosine() {
  constexpr int64_t kHidden = 512;
  const auto heads = options.num_heads();
  const auto& pretrained = options.pretrained_window_size();
  TORCH_CHECK_VALUE(
      pretrained[0] >= 0 && pretrained[1] >= 0 && (pretrained[0] > 0) == (pretrained[1] > 0),
      "WindowAttention: pretrained_window_size must be at least 1x1, or 0x0 for window_size, got ",
      pretrained[0],
      "x",
      pretrained[1]);
  relative_coords_table = register_buffer("relative_coords_table", coords());
  logit_scale =
      register_parameter("logit_scale", torch::empty({heads, 1, 1}).fill_(std::log(10.0)));
  auto hidden = detail::make_linear({2, kHidden});
  auto out = detail::make_linear(nn::LinearOptions(kHidden, heads).bias(false));
  init_transformer_(*hidden);
  init_transformer_(*out);
  cpb_mlp = register_module("cpb_mlp", nn::Sequential(hidden, nn::ReLU(), out));
  if (options.qkv_bias()) {
    q_bias = register_parameter("q_bias", torch::zeros({options.dim()}));
    v_bias = register_parameter("v_bias", torch::zeros({options.dim()}));
  }
}

void WindowAttentionImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::WindowAttention(dim=" << options.dim()
         << ", num_heads=" << options.num_heads() << ", window_size=" << options.window_size()[0]
         << "x" << options.window_size()[1] << (options.cosine() ? ", cosine=true)" : ")");
}

void WindowAttentionImpl::to(torch::Device device, torch::Dtype dtype, bool non_blocking) {
  Module::to(device, dtype, non_blocking);
  restore_tables();
}

void WindowAttentionImpl::to(torch::Dtype dtype, bool non_blocking) {
  Module::to(dtype, non_blocking);
  restore_tables();
}

void WindowAttentionImpl::restore_tables() {
  relative_position_index.set_data(
      offset_index(options.window_size()).to(relative_position_index.device()));
  if (options.cosine()) {
    relative_coords_table.set_data(coords().to(relative_coords_table.options()));
  }
}

torch::Tensor WindowAttentionImpl::coords() const {
  const auto& pretrained = options.pretrained_window_size();
  return log_spaced_offsets(
      options.window_size(), pretrained[0] > 0 ? pretrained : options.window_size());
}

torch::Tensor WindowAttentionImpl::project(const torch::Tensor& x) {
  const auto bias =
      q_bias.defined() ? torch::cat({q_bias, torch::zeros_like(q_bias), v_bias}) : qkv->bias;
  const auto heads = options.num_heads();
  return torch::linear(x, qkv->weight, bias)
      .view({x.size(0), x.size(1), 3, heads, options.dim() / heads})
      .permute({2, 0, 3, 1, 4});  // [3, B*G, M, N, D]
}

torch::Tensor WindowAttentionImpl::scores(const torch::Tensor& q, const torch::Tensor& k) const {
  if (!options.cosine()) {
    const auto scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
    return (q * scale).matmul(k.transpose(-2, -1));
  }
  constexpr double kMostScale = 100;
  const auto unit = nn::functional::NormalizeFuncOptions().dim(-1);
  const auto cosines = nn::functional::normalize(q, unit).matmul(
      nn::functional::normalize(k, unit).transpose(-2, -1));  // [B*G, M, N, N]
  return cosines * logit_scale.clamp_max(std::log(kMostScale)).exp();
}

torch::Tensor WindowAttentionImpl::relative_position_bias() {
  constexpr double kMostBias = 16;
  const auto n = relative_position_index.size(0);
  auto table = relative_position_bias_table;  // [O, M]
  if (cpb_mlp) {
    const auto& in = cpb_mlp->at<nn::LinearImpl>(0);
    const auto& out = cpb_mlp->at<nn::LinearImpl>(2);
    table = torch::linear(relative_coords_table, in.weight, in.bias).relu();  // [O, 512]
    table = torch::linear(table, out.weight);                                 // [O, M]
  }
  // index_select, not indexing with a tensor, whose gradient differs from run to run on several
  // threads.
  const auto bias = table.index_select(0, relative_position_index.view(-1))
                        .view({n, n, options.num_heads()})
                        .permute({2, 0, 1});  // [M, N, N]
  return cpb_mlp ? kMostBias * bias.sigmoid() : bias;
}

torch::Tensor WindowAttentionImpl::forward(const torch::Tensor& x, const torch::Tensor& mask) {
  const auto n = relative_position_index.size(0);
  TORCH_CHECK_VALUE(
      x.dim() == 3 && x.size(1) == n && x.size(2) == options.dim(),
      "WindowAttention: expected windows [B * G, ",
      n,
      ", ",
      options.dim(),
      "], got ",
      x.sizes());
  const auto g = x.size(0);
  const auto heads = options.num_heads();
  const auto parts = project(x);                      // [3, B*G, M, N, D]
  auto weights = scores(parts[0], parts[1]);          // [B*G, M, N, N]
  auto bias = relative_position_bias().unsqueeze(0);  // [1, M, N, N]
  if (mask.defined()) {
    TORCH_CHECK_VALUE(
        mask.dim() == 3 && mask.size(1) == n && mask.size(2) == n,
        "WindowAttention: expected a mask [G, ",
        n,
        ", ",
        n,
        "], got ",
        mask.sizes());
    const auto windows = mask.size(0);
    TORCH_CHECK_VALUE(
        windows > 0 && g % windows == 0,
        "WindowAttention: a mask of ",
        windows,
        " windows does not fit ",
        g);
    bias = bias + mask.unsqueeze(1);  // [G, M, N, N]
    weights = (weights.view({-1, windows, heads, n, n}) + bias).view({g, heads, n, n});
  } else {
    weights = weights + bias;
  }
  weights = observed_attention(*this, weights.softmax(-1));
  auto y = attn_drop(weights).matmul(parts[2]);          // [B*G, M, N, D]
  y = y.transpose(1, 2).reshape({g, n, options.dim()});  // [B*G, N, C]
  return observed(*this, proj_drop(detail::linear(proj, y)));
}

}  // namespace vitrine
