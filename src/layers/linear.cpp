#include "layers/linear.h"

#include "layers/skip_init.h"

namespace vitrine::detail {

torch::nn::Linear make_linear(const torch::nn::LinearOptions& options) {
  if (!skips_init()) {
    return torch::nn::Linear(options);
  }
  // LibTorch fills a layer as it makes it: the smallest is made, and its tensors replaced.
  torch::nn::Linear layer(torch::nn::LinearOptions(1, 1).bias(options.bias()));
  layer->options = options;
  layer->weight.set_data(torch::empty({options.out_features(), options.in_features()}));
  if (options.bias()) {
    layer->bias.set_data(torch::empty({options.out_features()}));
  }
  return layer;
}

}  // namespace vitrine::detail
