#include "measurement.h"

#include <ATen/Functions.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <torch/types.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>

#include "vitrine/infer/predictor.h"
#include "vitrine/train/trainer.h"

#include "heap.h"

namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;

/// The time once the device has done what it was given.
Clock::time_point now(c10::Device device) {
  if (device.is_cuda()) {
    at::detail::getCUDAHooks().deviceSynchronize(device.index());
  }
  return Clock::now();
}

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
void reset_device_peak(c10::Device device) {
  at::getDeviceAllocator(device.type())->resetPeakStats(device.index());
}

std::optional<double> device_peak_bytes(c10::Device device) {
  const auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  return static_cast<double>(stats.allocated_bytes[0].peak);  // 0: of all kinds of blocks together
}
#else
void reset_device_peak(c10::Device /*device*/) {}
std::optional<double> device_peak_bytes(c10::Device /*device*/) {
  return std::nullopt;
}
#endif

/// Begins a new high-water mark of memory, from which what an earlier model left is gone.
void reset_peak(c10::Device device) {
  if (!device.is_cpu()) {
    return reset_device_peak(device);
  }
  empty_heap();
  std::ofstream("/proc/self/clear_refs") << 5;  // see proc_pid_clear_refs(5)
}

std::optional<double> peak_megabytes(c10::Device device) {
  if (!device.is_cpu()) {
    const auto bytes = device_peak_bytes(device);
    return bytes ? std::optional<double>(*bytes / 1e6) : std::nullopt;
  }
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) {
      return std::stod(line.substr(6)) * 1024 / 1e6;  // the kernel's kB are of 1024 bytes
    }
  }
  return std::nullopt;
}

/// Updates as `Trainer` does them, with its defaults.
class TrainingStep {
 public:
  TrainingStep(Classifier& model, c10::Device device, Precision precision)
      : model_(model),
        device_(device),
        precision_(precision),
        optimizer_(model, options_.optimizer()) {
    model.train();
  }

  void run(const at::Tensor& images, const at::Tensor& targets, Measurement* result) {
    const auto start = now(device_);
    const auto loss = this->loss(images, targets);
    const auto forward = now(device_);
    loss.backward();
    const auto backward = now(device_);
    const auto norm = clip_gradients(optimizer_.gradients(), /*max_norm=*/0);
    at::stack({loss.detach(), norm}).to(at::kCPU);  // what is looked at before every update
    optimizer_.step(/*lr=*/1e-5);
    optimizer_.zero_grad();
    const auto end = now(device_);
    if (result) {
      result->step_ms.push_back(milliseconds(start, end));
      result->forward_ms.push_back(milliseconds(start, forward));
      result->backward_ms.push_back(milliseconds(forward, backward));
      result->optimizer_ms.push_back(milliseconds(backward, end));
    }
  }

 private:
  at::Tensor loss(const at::Tensor& images, const at::Tensor& targets) {
    at::Tensor logits;  // [B, K]
    {
      const PrecisionScope scope(precision_, device_.type());
      logits = model_.forward(images);
    }
    return classification_loss(logits.to(at::kFloat), targets, options_.loss());
  }

  TrainerOptions options_;
  Classifier& model_;
  c10::Device device_;
  Precision precision_;
  Optimizer optimizer_;
};

}  // namespace

Measurement measure(
    const std::shared_ptr<Classifier>& model,
    const ModelCard& card,
    const MeasurementOptions& options) {
  reset_peak(options.device);
  const auto images = at::randn({options.batch_size,
                                 model->in_chans(),
                                 card.preprocess.height(),
                                 card.preprocess.width()})
                          .to(options.device);  // [B, C, H, W]
  Measurement result;
  const auto repeat = [&](const auto& step) {
    for (std::int64_t i = 0; i < options.warmup + options.iterations; ++i) {
      step(i < options.warmup ? nullptr : &result);
    }
  };
  if (options.training) {
    const auto targets =
        at::randint(model->num_classes(), {options.batch_size}, at::kLong).to(options.device);
    model->to(options.device);
    TrainingStep training(*model, options.device, options.precision);
    repeat([&](Measurement* into) { training.run(images, targets, into); });
  } else {
    const Predictor predictor(model, card, options.device, options.precision);
    repeat([&](Measurement* into) {
      const auto start = now(options.device);
      predictor.logits(images);
      const auto end = now(options.device);
      if (into) {
        into->step_ms.push_back(milliseconds(start, end));
      }
    });
  }
  result.peak_memory_mb = peak_megabytes(options.device);
  return result;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto place = share * static_cast<double>(values.size());  // from 1
  const auto above = static_cast<std::size_t>(std::max(std::ceil(place), 1.0));
  const bool between = share == 0.5 && values.size() % 2 == 0;
  return between ? (values[above - 1] + values[above]) / 2 : values[above - 1];
}

}  // namespace vitrine
