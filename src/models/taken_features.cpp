#include "models/taken_features.h"

#include <c10/util/Exception.h>

namespace vitrine::detail {

TakenFeatures::TakenFeatures(
    const std::string& model, std::size_t count, const IntermediatesOptions& options)
    : taken_(count, options.indices().empty()),
      end_(count),
      as_tokens_(options.output_fmt() == "NLC") {
  TORCH_CHECK_VALUE(
      as_tokens_ || options.output_fmt() == "NCHW",
      model,
      ": output_fmt must be NCHW or NLC, got ",
      options.output_fmt());
  const auto most = static_cast<int64_t>(count);
  for (const auto index : options.indices()) {
    TORCH_CHECK_VALUE(
        index >= -most && index < most,
        model,
        ": each of indices must be ",
        -most,
        " to ",
        most - 1,
        ", got ",
        index);
    taken_[index < 0 ? index + most : index] = true;
  }
  while (options.stop_early() && end_ > 1 && !taken_[end_ - 1]) {
    --end_;
  }
}

torch::Tensor TakenFeatures::from_nchw(const torch::Tensor& map) const {
  return as_tokens_ ? map.flatten(2).transpose(1, 2).contiguous() : map;
}

torch::Tensor TakenFeatures::from_nhwc(const torch::Tensor& map) const {
  return as_tokens_ ? map.flatten(1, 2) : map.permute({0, 3, 1, 2}).contiguous();
}

}  // namespace vitrine::detail
