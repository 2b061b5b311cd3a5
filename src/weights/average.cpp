#include "vitrine/weights/average.h"

#include <c10/util/Exception.h>
#include <torch/utils.h>

#include <sstream>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

std::string described(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.scalar_type() << ' ' << tensor.sizes();
  return text.str();
}

bool alike(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type();
}

/// How `tensors` differ from `expected`, or nothing.
std::string difference(const StateDict& tensors, const StateDict& expected) {
  for (const auto& item : tensors) {
    const auto* other = expected.find(item.key());
    if (other == nullptr) {
      return item.key() + " is there only";
    }
    if (!alike(item.value(), *other)) {
      return item.key() + " is " + described(item.value()) + ", not " + described(*other);
    }
  }
  for (const auto& item : expected) {
    if (!tensors.contains(item.key())) {
      return item.key() + " is missing";
    }
  }
  return "";
}

}  // namespace

void WeightAverage::add(const StateDict& tensors, const std::string& name) {
  const torch::NoGradGuard no_grad;
  if (count_ > 0) {
    const auto found = difference(tensors, first_);
    if (!found.empty()) {
      throw CheckpointError(
          printable(name) + ": cannot be averaged with " + printable(first_name_) + ": " + found);
    }
  }
  for (const auto& item : tensors) {
    const auto value = item.value().detach().cpu();
    if (count_ == 0) {
      first_.insert(item.key(), value.clone());
      sums_.insert(item.key(), value.to(torch::kDouble, /*non_blocking=*/false, /*copy=*/true));
    } else {
      sums_[item.key()].add_(value);
    }
  }
  first_name_ = count_ == 0 ? name : first_name_;
  ++count_;
}

void WeightAverage::copy_to(const torch::nn::Module& model) const {
  TORCH_CHECK_VALUE(count_ > 0, "WeightAverage: there has to be a model to average");
  const torch::NoGradGuard no_grad;
  const auto target = state_dict(model);
  const auto found = difference(target, first_);
  TORCH_CHECK_VALUE(found.empty(), "WeightAverage: the model is another one: ", found);
  for (const auto& item : target) {
    const auto& tensor = item.value();
    const bool counts = !tensor.is_floating_point();
    tensor.copy_(counts ? first_[item.key()] : sums_[item.key()] / static_cast<double>(count_));
  }
}

}  // namespace vitrine
