#include "vitrine/train/plateau.h"

#include <gtest/gtest.h>

#include "support/value_error.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

TEST(Plateau, EqualsTimmsSchedule) {
  const auto& golden = recipe_golden();
  for (const auto& expected : golden["plateau"]) {
    const auto& given = expected["options"];
    const auto options = PlateauOptions()
                             .decreasing(expected["mode"] == "min")
                             .patience_epochs(given["patience_epochs"].get<int64_t>())
                             .decay_rate(given["decay_rate"].get<double>())
                             .min_lr(given.value("min_lr", 0.0));
    const auto warmup_epochs = given.value("warmup_epochs", std::size_t{0});
    PlateauState state;
    state.lr = golden["lr"].get<double>();
    for (std::size_t epoch = warmup_epochs; epoch < expected["metrics"].size(); ++epoch) {
      EXPECT_NEAR(state.lr, expected["rates"][epoch].get<double>(), 1e-12) << "epoch " << epoch;
      observe(state, options, expected["metrics"][epoch].get<double>());
    }
    EXPECT_NEAR(state.lr, expected["rates"].back().get<double>(), 1e-12);
  }
}

TEST(Plateau, RefusesOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(check_options(PlateauOptions().patience_epochs(-1)), "patience_epochs");
  EXPECT_VALUE_ERROR(check_options(PlateauOptions().decay_rate(1)), "above 0 and below 1");
}

}  // namespace
}  // namespace vitrine
