#include "vitrine/train/schedule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/error.h"

#include "train/golden_json.h"

namespace vitrine {
namespace {

TEST(LearningRate, EqualsTimmsCosineSchedule) {
  const auto& golden = train_golden();
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

TEST(LearningRate, EqualsEveryScheduleOfTimms) {
  const auto& golden = recipe_golden();
  const auto updates = golden["updates_per_epoch"].get<int64_t>();
  for (const auto& expected : golden["schedules"]) {
    SCOPED_TRACE(expected["sched"].get<std::string>() + expected["options"].dump());
    const auto& given = expected["options"];
    const auto epochs = expected["epochs"].get<int64_t>();
    auto options =
        ScheduleOptions()
            .sched(parse_schedule(expected["sched"].get<std::string>()))
            .lr(golden["lr"].get<double>())
            .min_lr(given.value("min_lr", 0.0))
            .warmup_lr(given["warmup_lr"].get<double>())
            .warmup_updates(given["warmup_epochs"].get<int64_t>() * updates)
            .warmup_prefix(given["warmup_prefix"].get<bool>())
            .total_updates(epochs * updates)
            .decay_rate(given.value("decay_rate", 0.1))
            .decay_updates(given.value("decay_epochs", 1.0) * static_cast<double>(updates));
    for (const auto& milestone : given.value("decay_milestones", std::vector<int64_t>())) {
      options.decay_milestones().push_back(milestone * updates);
    }
    int64_t update = 0;
    for (const auto& rate : expected["rates"]) {
      EXPECT_NEAR(learning_rate(options, update), rate.get<double>(), 1e-12) << "update " << update;
      ++update;
    }
  }
}

TEST(LearningRate, RefusesOptionsOutOfRange) {
  EXPECT_THROW(check_options(ScheduleOptions().lr(-1)), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().min_lr(std::nan(""))), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().warmup_updates(-1)), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().total_updates(0)), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().decay_updates(0)), c10::ValueError);
  EXPECT_THROW(check_options(ScheduleOptions().decay_milestones({3, 2})), c10::ValueError);
}

TEST(ScheduleKind, HasANameEach) {
  for (const auto kind :
       {ScheduleKind::Constant,
        ScheduleKind::Cosine,
        ScheduleKind::Linear,
        ScheduleKind::Poly,
        ScheduleKind::Tanh,
        ScheduleKind::Step,
        ScheduleKind::Multistep,
        ScheduleKind::Plateau}) {
    EXPECT_EQ(parse_schedule(to_string(kind)), kind);
  }
  EXPECT_THROW(parse_schedule("cosin"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine
