#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Course of the learning rate after warm-up.
enum class ScheduleKind { Constant, Cosine, Linear, Poly, Tanh, Step, Multistep, Plateau };

/// "constant", "cosine", "linear", "poly", "tanh", "step", "multistep" and "plateau", and back; an
/// unknown name is an UnknownNameError.
VITRINE_API std::string to_string(ScheduleKind kind);
VITRINE_API ScheduleKind parse_schedule(const std::string& name);

/// Whether a schedule comes down to `min_lr` at its end, where a cool-down may follow.
VITRINE_API bool ends_at_min_lr(ScheduleKind kind);

/// A learning rate as a function of the update, by timm's names; lengths are in updates.
struct ScheduleOptions {
  TORCH_ARG(ScheduleKind, sched) = ScheduleKind::Cosine;
  /// Rate after warm-up.
  TORCH_ARG(double, lr) = 5e-4;
  /// Rate at the end of cosine, linear, poly and tanh.
  TORCH_ARG(double, min_lr) = 0.0;
  /// Rate of the first update where there is a warm-up.
  TORCH_ARG(double, warmup_lr) = 0.0;
  /// Updates of linear warm-up.
  TORCH_ARG(int64_t, warmup_updates) = 0;
  /// Whether the schedule begins after the warm-up rather than below it.
  TORCH_ARG(bool, warmup_prefix) = false;
  /// Updates from the schedule's beginning to `min_lr`.
  TORCH_ARG(int64_t, total_updates) = 1;
  /// Factor of the rate from one step to the next, for step and multistep; power of poly.
  TORCH_ARG(double, decay_rate) = 0.1;
  /// Length of a step; need not be whole.
  TORCH_ARG(double, decay_updates) = 1.0;
  /// Ends of multistep's steps, ascending.
  TORCH_ARG(std::vector<int64_t>, decay_milestones);
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const ScheduleOptions& options);

/// The learning rate of update number `update`, counted from 0; timm's schedulers, by update.
///
/// While update < warmup_updates = W it rises evenly from warmup_lr to lr, or with tanh, where
/// warm-up is no prefix, to the rate of update W. After that, with t = update, or update - W where
/// warm-up is a prefix, T = total_updates, s = t / T:
///   constant    lr, as for plateau, which is lowered from outside (`Plateau`)
///   cosine      min_lr + (lr - min_lr) (1 + cos(pi s)) / 2
///   linear      min_lr + (lr - min_lr) (1 - s)
///   poly        min_lr + (lr - min_lr) (1 - s)^decay_rate
///   tanh        min_lr + (lr - min_lr) (1 - tanh(10 s - 7)) / 2
///   step        lr decay_rate^floor(t / decay_updates)
///   multistep   lr decay_rate^n, n milestones being at most t + 1
/// and min_lr from T on where a schedule ends there.
VITRINE_API double learning_rate(const ScheduleOptions& options, int64_t update);

}  // namespace vitrine
