#include "vitrine/layers/mlp.h"

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/linear.h"

namespace vitrine {

namespace nn = torch::nn;

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
  TORCH_CHECK_VALUE(
      options.dim() > 0 && options.hidden_dim() > 0,
      "Mlp: dim and hidden_dim must be at least 1, got ",
      options.dim(),
      " and ",
      options.hidden_dim());
  detail::check_drop("Mlp", "drop", options.drop());
  fc1 = register_module("fc1", nn::Linear(options.dim(), options.hidden_dim()));
  drop1 = register_module("drop1", nn::Dropout(options.drop()));
  fc2 = register_module("fc2", nn::Linear(options.hidden_dim(), options.dim()));
  drop2 = register_module("drop2", nn::Dropout(options.drop()));
  init_transformer_(*fc1);
  init_transformer_(*fc2);
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
  const auto hidden =
      drop1(activate(detail::linear(fc1, x), options.activation()));  // [..., hidden_dim]
  return observed(*this, drop2(detail::linear(fc2, hidden)));         // [..., C]
}

}  // namespace vitrine
