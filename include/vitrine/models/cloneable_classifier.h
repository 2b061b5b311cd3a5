#pragma once

#include <memory>
#include <optional>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"

namespace vitrine {

namespace detail {

/// Copies parameters, buffers, which of them want gradients, and the mode, by name, to a model
/// built from the same options; onto `device` if given.
VITRINE_API void copy_state(
    const torch::nn::Module& from,
    torch::nn::Module& to,
    const std::optional<torch::Device>& device);

}  // namespace detail

/// What makes a model of the zoo cloneable, by itself or inside another module: `Derived` is
/// rebuilt from its current `options` and its state is copied by name. (torch::nn::Cloneable cannot
/// serve, as it derives from torch::nn::Module itself and not from Classifier.)
template <typename Derived>
class CloneableClassifier : public Classifier {
 public:
  using Classifier::Classifier;

  std::shared_ptr<torch::nn::Module> clone(
      const std::optional<torch::Device>& device = std::nullopt) const override {
    const auto& self = static_cast<const Derived&>(*this);
    auto copy = std::make_shared<Derived>(self.options);
    detail::copy_state(self, *copy, device);
    return copy;
  }

 private:
  void clone_(torch::nn::Module& other, const std::optional<torch::Device>& device) override {
    const auto copy = std::dynamic_pointer_cast<Derived>(other.clone(device));
    TORCH_CHECK(copy != nullptr, "cannot clone a model into one of another family");
    static_cast<Derived&>(*this) = *copy;
  }
};

}  // namespace vitrine
