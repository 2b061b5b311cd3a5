#include "vitrine/layers/layer_scale.h"

#include "vitrine/layers/observe.h"

#include "layers/checks.h"

namespace vitrine {

LayerScaleImpl::LayerScaleImpl(int64_t dim_, double init_value_)
    : dim(dim_), init_value(init_value_) {
  reset();
}

void LayerScaleImpl::reset() {
  detail::check_positive("LayerScale", "dim", dim);
  gamma = register_parameter("gamma", torch::empty({dim}).fill_(init_value));
}

void LayerScaleImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::LayerScale(dim=" << dim << ", init_value=" << init_value << ")";
}

torch::Tensor LayerScaleImpl::forward(const torch::Tensor& x) {
  return observed(*this, x * gamma);
}

}  // namespace vitrine
