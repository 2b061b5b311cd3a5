#include "vitrine/models/classifier.h"

#include "vitrine/models/cloneable_classifier.h"

namespace vitrine {

Classifier::~Classifier() = default;

std::vector<torch::Tensor> Classifier::forward_heads(const torch::Tensor& features) {
  return {forward_head(features)};
}

Intermediates Classifier::forward_intermediates(
    const torch::Tensor& /*images*/, const IntermediatesOptions& /*options*/) {
  TORCH_CHECK_NOT_IMPLEMENTED(false, name(), " does not give features on the way");
}

torch::Tensor Classifier::adapt_weight(
    const std::string& /*key*/, const torch::Tensor& value) const {
  return value;
}

namespace detail {
namespace {

torch::Tensor copied(const torch::Tensor& tensor, const std::optional<torch::Device>& device) {
  return device && tensor.device() != *device ? tensor.to(*device) : tensor.clone();
}

}  // namespace

void copy_state(
    const torch::nn::Module& from,
    torch::nn::Module& to,
    const std::optional<torch::Device>& device) {
  const torch::NoGradGuard no_grad;
  auto parameters = to.named_parameters();
  for (const auto& item : from.named_parameters()) {
    auto& target = parameters[item.key()];
    target.set_data(copied(item.value(), device));
    target.set_requires_grad(item.value().requires_grad());
  }
  auto buffers = to.named_buffers();
  for (const auto& item : from.named_buffers()) {
    buffers[item.key()].set_data(copied(item.value(), device));
  }
  // Frozen parts may stand in evaluation within a model in training.
  auto modules = to.named_modules();
  to.train(from.is_training());
  for (const auto& item : from.named_modules()) {
    if (item.value()->is_training() != modules[item.key()]->is_training()) {
      modules[item.key()]->train(item.value()->is_training());
    }
  }
}

}  // namespace detail
}  // namespace vitrine
