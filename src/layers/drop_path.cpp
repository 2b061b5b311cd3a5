#include "vitrine/layers/drop_path.h"

#include "layers/checks.h"

namespace vitrine {

DropPathImpl::DropPathImpl(double p_) : p(p_) {
  reset();
}

void DropPathImpl::reset() {
  detail::check_drop("DropPath", "rate", p);
}

void DropPathImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::DropPath(p=" << p << ")";
}

torch::Tensor DropPathImpl::forward(const torch::Tensor& x) {
  if (p == 0 || !is_training()) {
    return x;
  }
  std::vector<int64_t> shape(x.dim(), 1);
  shape[0] = x.size(0);
  const auto keep = torch::empty(shape, x.options()).bernoulli_(1 - p).div_(1 - p);  // [B, 1, ...]
  return x * keep;
}

std::vector<double> drop_path_rates(double rate, int64_t depth) {
  detail::check_drop("drop_path_rates", "rate", rate);
  TORCH_CHECK_VALUE(depth >= 0, "drop_path_rates: depth must be at least 0, got ", depth);
  std::vector<double> rates(depth, 0.0);
  for (int64_t i = 1; i < depth; ++i) {
    rates[i] = rate * static_cast<double>(i) / static_cast<double>(depth - 1);
  }
  return rates;
}

}  // namespace vitrine
