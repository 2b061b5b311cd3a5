#include "vitrine/layers/grad_checkpointing.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Generator.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "vitrine/precision.h"

#include "layers/grad_checkpointing.h"

namespace vitrine {
namespace {

namespace autograd = torch::autograd;

thread_local bool enabled_here = false;

/// The states of the generators that a computation on one device draws from.
class RandomState {
 public:
  explicit RandomState(torch::Device device) {
    take(torch::kCPU);
    if (!device.is_cpu()) {
      take(device);
    }
  }
  /// Sets the generators to these states.
  void restore() const {
    for (auto [generator, state] : taken_) {
      const std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_state(state);
    }
  }

 private:
  void take(torch::Device device) {
    auto generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    auto state = generator.get_state();
    taken_.emplace_back(generator, std::move(state));
  }

  std::vector<std::pair<at::Generator, torch::Tensor>> taken_;
};

/// The precision that this thread computes with on a type of device.
Precision current_precision(c10::DeviceType device) {
  if (!at::autocast::is_autocast_enabled(device)) {
    return Precision::Fp32;
  }
  return at::autocast::get_autocast_dtype(device) == torch::kHalf ? Precision::Fp16
                                                                  : Precision::Bf16;
}

/// A block's forward pass, and all that it depends on but its input.
class Pass final : public torch::CustomClassHolder {
 public:
  Pass(
      torch::nn::Module& block,
      torch::Device device,
      std::function<torch::Tensor(const torch::Tensor&)> forward)
      : block_(block.shared_from_this()),
        forward_(std::move(forward)),
        random_(device),
        device_(device),
        precision_(current_precision(device.type())) {
    for (const auto& parameter : block.parameters()) {
      if (parameter.requires_grad()) {
        parameters_.push_back(parameter);
      }
    }
  }

  /// The block's parameters that are trained.
  const autograd::variable_list& parameters() const { return parameters_; }

  /// The block's output.
  torch::Tensor output(const torch::Tensor& x) const { return run(x).second.detach(); }

  /// The gradients of `x` and of the parameters, of the same pass done again.
  autograd::variable_list gradients(
      const torch::Tensor& x, const autograd::variable_list& of_output) const {
    std::vector<std::pair<torch::Tensor, torch::Tensor>> buffers;  // each with its values
    for (const auto& buffer : block_->buffers()) {
      buffers.emplace_back(buffer, buffer.clone());
    }
    const auto [input, again] = run_again(x);
    const bool for_input = input.requires_grad();
    auto wanted = parameters_;
    if (for_input) {
      wanted.insert(wanted.begin(), input);
    }
    auto found = autograd::grad(
        {again},
        wanted,
        of_output,
        /*retain_graph=*/std::nullopt,
        /*create_graph=*/false,
        /*allow_unused=*/true);
    if (!for_input) {
      found.insert(found.begin(), torch::Tensor());
    }
    // What batch norms learnt of the same images is not to count twice.
    const torch::NoGradGuard no_grad;
    for (auto& [buffer, values] : buffers) {
      buffer.copy_(values);
    }
    return found;
  }

 private:
  /// The input, detached, and the output, which hangs on it and on the parameters. The first pass
  /// keeps a graph too, for a moment, lest LibTorch choose other kernels than in the second.
  std::pair<torch::Tensor, torch::Tensor> run(const torch::Tensor& x) const {
    const torch::AutoGradMode with_gradients(true);
    const GradCheckpointing off(false);
    const auto input = x.detach().requires_grad_(x.requires_grad());
    return {input, forward_(input)};
  }

  std::pair<torch::Tensor, torch::Tensor> run_again(const torch::Tensor& x) const {
    const RandomState now(device_);
    random_.restore();
    const PrecisionScope scope(precision_, device_.type());
    auto result = run(x);
    now.restore();
    return result;
  }

  std::shared_ptr<torch::nn::Module> block_;  // lives until the backward pass
  std::function<torch::Tensor(const torch::Tensor&)> forward_;
  autograd::variable_list parameters_;
  RandomState random_;
  torch::Device device_;
  Precision precision_;
};

struct Recomputation : autograd::Function<Recomputation> {
  static torch::Tensor forward(
      autograd::AutogradContext* context,
      const torch::Tensor& x,
      at::TensorList /*parameters*/,
      const c10::intrusive_ptr<Pass>& pass) {
    context->save_for_backward({x});
    context->saved_data["pass"] = c10::IValue::make_capsule(pass);
    return pass->output(x);
  }

  static autograd::variable_list backward(
      autograd::AutogradContext* context, const autograd::variable_list& gradients) {
    const auto pass =
        c10::static_intrusive_pointer_cast<Pass>(context->saved_data["pass"].toCapsule());
    auto found = pass->gradients(context->get_saved_variables().front(), gradients);
    found.emplace_back();  // of the pass
    return found;
  }
};

}  // namespace

GradCheckpointing::GradCheckpointing(bool enabled)
    : previous_(std::exchange(enabled_here, enabled)) {}

GradCheckpointing::~GradCheckpointing() {
  enabled_here = previous_;
}

namespace detail {

bool checkpoints() {
  return enabled_here && torch::GradMode::is_enabled();
}

torch::Tensor checkpointed(
    torch::nn::Module& block,
    const torch::Tensor& x,
    std::function<torch::Tensor(const torch::Tensor&)> forward) {
  const auto pass = c10::make_intrusive<Pass>(block, x.device(), std::move(forward));
  if (!x.requires_grad() && pass->parameters().empty()) {
    return pass->output(x);
  }
  return Recomputation::apply(x, at::TensorList(pass->parameters()), pass);
}

}  // namespace detail
}  // namespace vitrine
