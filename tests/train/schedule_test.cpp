#include "vitrine/train/schedule.h"

#include <gtest/gtest.h>

#include "vitrine/error.h"

#include "train/golden_json.h"

namespace vitrine {
namespace {

TEST(LearningRate, EqualsTimmsCosineSchedule) {
  const auto golden = train_golden();
  for (const auto& expected : golden["schedules"]) {
    const auto options = ScheduleOptions()
                             .lr(expected["lr"].get<double>())
                             .min_lr(expected["min_lr"].get<double>())
                             .warmup_lr(expected["warmup_lr"].get<double>())
                             .warmup_updates(expected["warmup_updates"].get<int64_t>())
                             .total_updates(expected["total_updates"].get<int64_t>());
    for (std::size_t i = 0; i < expected["updates"].size(); ++i) {
      const auto update = expected["updates"][i].get<int64_t>();
      EXPECT_NEAR(learning_rate(options, update), expected["rates"][i].get<double>(), 1e-12)
          << "update " << update << " of " << options.total_updates();
    }
  }
}

TEST(LearningRate, StaysConstantAfterWarmUp) {
  const auto options = ScheduleOptions()
                           .sched(ScheduleKind::Constant)
                           .lr(0.5)
                           .warmup_lr(0.1)
                           .warmup_updates(4)
                           .total_updates(10);
  EXPECT_DOUBLE_EQ(learning_rate(options, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(options, 2), 0.3);
  EXPECT_DOUBLE_EQ(learning_rate(options, 4), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(options, 1000), 0.5);
}

TEST(LearningRate, RefusesOptionsOutOfRange) {
  EXPECT_THROW(check_options(ScheduleOptions().lr(-1)), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().min_lr(std::nan(""))), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().warmup_updates(-1)), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().total_updates(0)), c10::ValueError);
}

TEST(ScheduleKind, HasANameEach) {
  for (const auto kind : {ScheduleKind::Constant, ScheduleKind::Cosine}) {
    EXPECT_EQ(parse_schedule(to_string(kind)), kind);
  }
  EXPECT_THROW(parse_schedule("cosin"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine
