#pragma once

#include <torch/arg.h>
#include <torch/types.h>

#include <cstdint>
#include <string>

#include "vitrine/export.h"

namespace vitrine {

/// Course of the learning rate after warm-up.
enum class ScheduleKind { Constant, Cosine };

/// "constant" and "cosine", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(ScheduleKind kind);
VITRINE_API ScheduleKind parse_schedule(const std::string& name);

/// A learning rate as a function of the update, by timm's names; lengths are in updates.
struct ScheduleOptions {
  TORCH_ARG(ScheduleKind, sched) = ScheduleKind::Cosine;
  /// Rate after warm-up.
  TORCH_ARG(double, lr) = 5e-4;
  /// Rate at the end of the cosine.
  TORCH_ARG(double, min_lr) = 0.0;
  /// Rate of the first update where there is a warm-up.
  TORCH_ARG(double, warmup_lr) = 0.0;
  /// Updates of linear warm-up.
  TORCH_ARG(int64_t, warmup_updates) = 0;
  /// Updates of the whole training, warm-up included.
  TORCH_ARG(int64_t, total_updates) = 1;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const ScheduleOptions& options);

/// The learning rate of update number `update`, counted from 0.
///
/// While update < warmup_updates = W it is warmup_lr + update (lr - warmup_lr) / W. After that a
/// constant schedule gives lr, and a cosine one, over T = total_updates, min_lr + (lr - min_lr) (1
/// + cos(pi update / T)) / 2, and min_lr from T on. As in timm's scheduler, with its
/// `warmup_prefix` off, the cosine runs from update 0, below the warm-up.
VITRINE_API double learning_rate(const ScheduleOptions& options, int64_t update);

}  // namespace vitrine
