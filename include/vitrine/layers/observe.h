#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <string_view>

#include "vitrine/export.h"

namespace vitrine {

/// Is told what the modules of vitrine compute; for summaries and for looking inside a model.
class VITRINE_API Observer {
 public:
  virtual ~Observer();
  /// `module` has computed `value`: its result when `step` is empty, else an inner step of that
  /// name.
  virtual void on_value(
      const torch::nn::Module& module, std::string_view step, const torch::Tensor& value) = 0;
  /// Whether the modules of attention tell their weights too, after the softmax and before dropout,
  /// as a step called "attention". They are then computed one by one instead of by a fused kernel
  /// that never forms them.
  virtual bool wants_attention() const { return false; }
};

/// Installs an observer on this thread for as long as the guard lives. Guards nest; the last one
/// counts.
class VITRINE_API ObserverGuard {
 public:
  explicit ObserverGuard(Observer& observer);
  ObserverGuard(const ObserverGuard&) = delete;
  ObserverGuard& operator=(const ObserverGuard&) = delete;
  ~ObserverGuard();

 private:
  Observer* previous_;
};

/// Gives `value` back after telling it to this thread's observer, if there is one.
VITRINE_API torch::Tensor observed(
    const torch::nn::Module& module, torch::Tensor value, std::string_view step = {});

/// Whether this thread's observer, if there is one, wants attention weights.
VITRINE_API bool attention_wanted();
/// Gives `weights` back after telling them to an observer that wants them.
VITRINE_API torch::Tensor observed_attention(
    const torch::nn::Module& module, torch::Tensor weights);

}  // namespace vitrine
