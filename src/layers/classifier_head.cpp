#include "vitrine/layers/classifier_head.h"

#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/linear.h"

namespace vitrine {

namespace nn = torch::nn;

ClassifierHeadImpl::ClassifierHeadImpl(const ClassifierHeadOptions& options_) : options(options_) {
  reset();
}

void ClassifierHeadImpl::reset() {
  TORCH_CHECK_VALUE(
      options.in_features() > 0 && options.num_classes() >= 0,
      "ClassifierHead: in_features must be at least 1 and num_classes at least 0, got ",
      options.in_features(),
      " and ",
      options.num_classes());
  detail::check_drop("ClassifierHead", "drop_rate", options.drop_rate());
  drop = register_module("drop", nn::Dropout(options.drop_rate()));
  if (options.num_classes() > 0) {
    fc = register_module("fc", detail::make_linear({options.in_features(), options.num_classes()}));
    init_transformer_(*fc);
  }
}

void ClassifierHeadImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::ClassifierHead(in_features=" << options.in_features()
         << ", num_classes=" << options.num_classes() << ")";
}

torch::Tensor ClassifierHeadImpl::forward(const torch::Tensor& x, bool pre_logits) {
  const auto channels = options.channels_last() ? 3 : 1;
  TORCH_CHECK_VALUE(
      x.dim() == 4 && x.size(channels) == options.in_features(),
      "ClassifierHead: expected a map ",
      options.channels_last() ? "[B, H, W, " : "[B, ",
      options.in_features(),
      options.channels_last() ? "]" : ", H, W]",
      ", got ",
      x.sizes());
  const std::vector<int64_t> positions =
      options.channels_last() ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{2, 3};
  auto y = observed(*this, x.mean(positions), "pool");  // [B, C]
  y = drop(y);
  return observed(*this, pre_logits || !fc ? y : detail::linear(fc, y));  // [B, K]
}

}  // namespace vitrine
