#pragma once

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <c10/core/Device.h>
#include <torch/types.h>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace vitrine::detail {

/// Takes over LibTorch's default generators (the CPU's and the device's), so that they can be
/// seeded, and gives them back as they were on destruction: the caller's random numbers go on
/// undisturbed.
class RandomScope {
 public:
  explicit RandomScope(torch::Device device) {
    take(torch::kCPU);
    if (!device.is_cpu()) {
      take(device);
    }
  }
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;
  ~RandomScope() {
    for (auto& [generator, state] : taken_) {
      const std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_state(state);
    }
  }

  void seed(std::uint64_t value) {
    for (auto& [generator, state] : taken_) {
      const std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_current_seed(value);
    }
  }

 private:
  void take(torch::Device device) {
    auto generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    auto state = generator.get_state();
    taken_.emplace_back(std::move(generator), std::move(state));
  }

  std::vector<std::pair<at::Generator, torch::Tensor>> taken_;
};

}  // namespace vitrine::detail
