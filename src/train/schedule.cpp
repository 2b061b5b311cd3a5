#include "vitrine/train/schedule.h"

#include <cmath>

#include "vitrine/error.h"

namespace vitrine {
namespace {

void check_rate(const char* name, double value) {
  TORCH_CHECK_VALUE(
      std::isfinite(value) && value >= 0, name, " has to be at least 0, but got ", value);
}

}  // namespace

std::string to_string(ScheduleKind kind) {
  return kind == ScheduleKind::Constant ? "constant" : "cosine";
}

ScheduleKind parse_schedule(const std::string& name) {
  if (name == "constant") {
    return ScheduleKind::Constant;
  }
  if (name == "cosine") {
    return ScheduleKind::Cosine;
  }
  throw UnknownNameError("schedule", name, {"constant", "cosine"});
}

void check_options(const ScheduleOptions& options) {
  check_rate("lr", options.lr());
  check_rate("min_lr", options.min_lr());
  check_rate("warmup_lr", options.warmup_lr());
  TORCH_CHECK_VALUE(
      options.warmup_updates() >= 0,
      "warm-up has to last at least 0 updates, but got ",
      options.warmup_updates());
  TORCH_CHECK_VALUE(
      options.total_updates() >= 1,
      "training has to last at least 1 update, but got ",
      options.total_updates());
}

double learning_rate(const ScheduleOptions& options, int64_t update) {
  const auto t = static_cast<double>(update);
  if (update < options.warmup_updates()) {
    const double step =
        (options.lr() - options.warmup_lr()) / static_cast<double>(options.warmup_updates());
    return options.warmup_lr() + t * step;
  }
  if (options.sched() == ScheduleKind::Constant) {
    return options.lr();
  }
  if (update >= options.total_updates()) {
    return options.min_lr();
  }
  constexpr double kPi = 3.14159265358979323846;
  const double share = t / static_cast<double>(options.total_updates());
  return options.min_lr() + 0.5 * (options.lr() - options.min_lr()) * (1 + std::cos(kPi * share));
}

}  // namespace vitrine
