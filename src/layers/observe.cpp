#include "vitrine/layers/observe.h"

#include <utility>

namespace vitrine {
namespace {

thread_local Observer* current_observer = nullptr;

}  // namespace

Observer::~Observer() = default;

ObserverGuard::ObserverGuard(Observer& observer)
    : previous_(std::exchange(current_observer, &observer)) {}

ObserverGuard::~ObserverGuard() {
  current_observer = previous_;
}

torch::Tensor observed(
    const torch::nn::Module& module, torch::Tensor value, std::string_view step) {
  if (current_observer != nullptr) {
    current_observer->on_value(module, step, value);
  }
  return value;
}

bool attention_wanted() {
  return current_observer != nullptr && current_observer->wants_attention();
}

torch::Tensor observed_attention(const torch::nn::Module& module, torch::Tensor weights) {
  return attention_wanted() ? observed(module, std::move(weights), "attention") : weights;
}

}  // namespace vitrine
