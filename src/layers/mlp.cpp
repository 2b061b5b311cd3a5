#include "vitrine/layers/mlp.h"

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/linear.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

void check(const char* module, const MlpOptions& options) {
  TORCH_CHECK_VALUE(
      options.dim() > 0 && options.hidden_dim() > 0,
      module,
      ": dim and hidden_dim must be at least 1, got ",
      options.dim(),
      " and ",
      options.hidden_dim());
  detail::check_drop(module, "drop", options.drop());
}

}  // namespace

torch::Tensor activate(const torch::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::Gelu:
      return torch::gelu(x);
    case Activation::Silu:
      return torch::silu(x);
    case Activation::None:
      break;
  }
  return x;
}

MlpImpl::MlpImpl(const MlpOptions& options_) : options(options_) {
  reset();
}

void MlpImpl::reset() {
  check("Mlp", options);
  const bool gated = options.gated();
  TORCH_CHECK_VALUE(
      !gated || options.hidden_dim() % 2 == 0,
      "Mlp: hidden_dim must be even where half of it gates the other, got ",
      options.hidden_dim());
  const auto inner = gated ? options.hidden_dim() / 2 : options.hidden_dim();
  fc1 = register_module("fc1", detail::make_linear({options.dim(), options.hidden_dim()}));
  drop1 = register_module("drop1", nn::Dropout(options.drop()));
  fc2 = register_module("fc2", detail::make_linear({inner, options.dim()}));
  drop2 = register_module("drop2", nn::Dropout(options.drop()));
  init_transformer_(*fc1);
  init_transformer_(*fc2);
  if (gated) {
    // What is gated starts as 1, as timm has it: at first the layer is an ordinary one.
    const torch::NoGradGuard no_grad;
    fc1->weight.slice(/*dim=*/0, inner).normal_(0.0, 1e-6);
    fc1->bias.slice(/*dim=*/0, inner).fill_(1);
  }
}

void MlpImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::Mlp(dim=" << options.dim() << ", hidden_dim=" << options.hidden_dim() << ")";
}

torch::Tensor MlpImpl::forward(const torch::Tensor& x) {
  TORCH_CHECK_VALUE(
      x.dim() > 0 && x.size(-1) == options.dim(),
      "Mlp: expected [..., ",
      options.dim(),
      "], got ",
      x.sizes());
  auto hidden = detail::linear(fc1, x);  // [..., hidden_dim]
  if (options.gated()) {
    const auto halves = hidden.chunk(2, /*dim=*/-1);
    hidden = activate(halves[0], options.activation()) * halves[1];  // [..., hidden_dim / 2]
  } else {
    hidden = activate(hidden, options.activation());
  }
  return observed(*this, drop2(detail::linear(fc2, drop1(hidden))));  // [..., C]
}

ConvMlpImpl::ConvMlpImpl(const MlpOptions& options_) : options(options_) {
  reset();
}

void ConvMlpImpl::reset() {
  check("ConvMlp", options);
  TORCH_CHECK_VALUE(!options.gated(), "ConvMlp: gated must be false");
  const auto layer = [](int64_t in, int64_t out) {
    nn::Conv2d convolution(nn::Conv2dOptions(in, out, /*kernel_size=*/1));
    init_mobile_(*convolution);
    return convolution;
  };
  fc1 = register_module("fc1", layer(options.dim(), options.hidden_dim()));
  drop1 = register_module("drop1", nn::Dropout(options.drop()));
  fc2 = register_module("fc2", layer(options.hidden_dim(), options.dim()));
  drop2 = register_module("drop2", nn::Dropout(options.drop()));
}

void ConvMlpImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::ConvMlp(dim=" << options.dim() << ", hidden_dim=" << options.hidden_dim()
         << ")";
}

torch::Tensor ConvMlpImpl::forward(const torch::Tensor& x) {
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(1) == options.dim(),
      "ConvMlp: expected a map [B, ",
      options.dim(),
      ", H, W], got ",
      x.sizes());
  const auto hidden = drop1(activate(fc1(x), options.activation()));  // [B, hidden_dim, H, W]
  return observed(*this, drop2(fc2(hidden)));                         // [B, C, H, W]
}

}  // namespace vitrine
