#include "vitrine/train/schedule.h"

#include <algorithm>
#include <cmath>

#include "name_table.h"

namespace vitrine {
namespace {

const detail::NameTable<ScheduleKind>& schedules() {
  static const detail::NameTable<ScheduleKind> table = {
      {ScheduleKind::Constant, "constant"},
      {ScheduleKind::Cosine, "cosine"},
      {ScheduleKind::Linear, "linear"},
      {ScheduleKind::Poly, "poly"},
      {ScheduleKind::Tanh, "tanh"},
      {ScheduleKind::Step, "step"},
      {ScheduleKind::Multistep, "multistep"},
      {ScheduleKind::Plateau, "plateau"}};
  return table;
}

void check_rate(const char* name, double value) {
  TORCH_CHECK_VALUE(
      std::isfinite(value) && value >= 0, name, " has to be at least 0, but got ", value);
}

/// What is left of the way from lr to min_lr, from 1 to 0, after a share of the schedule in [0, 1).
double rest(const ScheduleOptions& options, double share) {
  constexpr double kPi = 3.14159265358979323846;
  switch (options.sched()) {
    case ScheduleKind::Cosine:
      return 0.5 * (1 + std::cos(kPi * share));
    case ScheduleKind::Linear:
      return 1 - share;
    case ScheduleKind::Poly:
      return std::pow(1 - share, options.decay_rate());
    case ScheduleKind::Tanh:
      return 0.5 * (1 - std::tanh(10 * share - 7));
    default:
      return 1;
  }
}

/// The rate where there is no warm-up, `t` updates after the schedule's beginning.
double rate_at(const ScheduleOptions& options, int64_t t) {
  const auto at = static_cast<double>(t);
  if (options.sched() == ScheduleKind::Step) {
    // The quotient alone may round up to a whole number, which timm's integer division never does.
    const double length = options.decay_updates();
    const double passed = std::round((at - std::fmod(at, length)) / length);
    return options.lr() * std::pow(options.decay_rate(), passed);
  }
  if (options.sched() == ScheduleKind::Multistep) {
    const auto& ends = options.decay_milestones();
    const auto passed = std::upper_bound(ends.begin(), ends.end(), t + 1) - ends.begin();
    return options.lr() * std::pow(options.decay_rate(), static_cast<double>(passed));
  }
  if (!ends_at_min_lr(options.sched())) {
    return options.lr();
  }
  if (t >= options.total_updates()) {
    return options.min_lr();
  }
  const double share = at / static_cast<double>(options.total_updates());
  return options.min_lr() + (options.lr() - options.min_lr()) * rest(options, share);
}

}  // namespace

std::string to_string(ScheduleKind kind) {
  return detail::name_of(schedules(), kind);
}

ScheduleKind parse_schedule(const std::string& name) {
  return detail::value_of(schedules(), "schedule", name);
}

bool ends_at_min_lr(ScheduleKind kind) {
  return kind == ScheduleKind::Cosine || kind == ScheduleKind::Linear ||
         kind == ScheduleKind::Poly || kind == ScheduleKind::Tanh;
}

void check_options(const ScheduleOptions& options) {
  check_rate("lr", options.lr());
  check_rate("min_lr", options.min_lr());
  check_rate("warmup_lr", options.warmup_lr());
  check_rate("decay_rate", options.decay_rate());
  TORCH_CHECK_VALUE(
      options.warmup_updates() >= 0,
      "warm-up has to last at least 0 updates, but got ",
      options.warmup_updates());
  TORCH_CHECK_VALUE(
      options.total_updates() >= 1,
      "training has to last at least 1 update, but got ",
      options.total_updates());
  TORCH_CHECK_VALUE(
      std::isfinite(options.decay_updates()) && options.decay_updates() > 0,
      "length of a step of the learning rate has to be above 0, but got ",
      options.decay_updates());
  const auto& ends = options.decay_milestones();
  TORCH_CHECK_VALUE(
      std::is_sorted(ends.begin(), ends.end()) && (ends.empty() || ends.front() >= 0),
      "decay_milestones have to ascend from at least 0, but got ",
      ends);
}

double learning_rate(const ScheduleOptions& options, int64_t update) {
  const auto warmup = options.warmup_updates();
  if (update >= warmup) {
    return rate_at(options, options.warmup_prefix() ? update - warmup : update);
  }
  // timm's tanh, alone of its schedules, warms up to where it will be, not to lr.
  const double end = options.sched() == ScheduleKind::Tanh && !options.warmup_prefix()
                         ? rate_at(options, warmup)
                         : options.lr();
  const double step = (end - options.warmup_lr()) / static_cast<double>(warmup);
  return options.warmup_lr() + static_cast<double>(update) * step;
}

}  // namespace vitrine
