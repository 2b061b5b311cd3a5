#include "vitrine/train/train_options.h"

#include <gtest/gtest.h>

#include <string>

#include "vitrine/error.h"

namespace vitrine {
namespace {

TrainOptions valid() {
  return TrainOptions().data("data").output("run").model("test_vit");
}

TEST(TrainOptions, ComeBackFromJson) {
  auto options = valid()
                     .model_options(ModelOptions()
                                        .drop_path_rate(0.1)
                                        .set("qkv_bias", false)
                                        .set("depth", int64_t{3})
                                        .set("global_pool", std::string("avg"))
                                        .img_size(32, 48))
                     .preprocess(PreprocessOptions().height(32).width(48).mean({0.1, 0.2, 0.3}))
                     .sched(ScheduleKind::Constant)
                     .lr(0.1 + 0.2)
                     .layer_decay(0.75)
                     .freeze({"stem.*", "*.bias"})
                     .seed(18446744073709551615U);
  options.optimizer().opt(OptimizerKind::Sgd).momentum(0.8);
  options.augment().scale({0.5, 1}).train_interpolation({Interpolation::Nearest});
  options.augment().aa("rand-m9-inc1").color_jitter({0.1, 0.2, 0.3}).grayscale_prob(0.25);
  options.augment().erasing().probability(0.5).mode(EraseMode::Pixel).count(3).area({0.1, 0.2});
  options.aug_repeats(1.5);
  const auto text = train_options_to_json(options);
  const auto read = train_options_from_json(text);
  EXPECT_EQ(train_options_to_json(read), text);
  EXPECT_EQ(read.lr(), 0.1 + 0.2);
  EXPECT_EQ(read.layer_decay(), 0.75);
  EXPECT_EQ(read.freeze(), options.freeze());
  EXPECT_EQ(read.seed(), 18446744073709551615U);
  EXPECT_EQ(read.model_options().values(), options.model_options().values());
  EXPECT_EQ(read.preprocess()->width(), 48);
  EXPECT_EQ(read.optimizer().opt(), OptimizerKind::Sgd);
  EXPECT_EQ(read.augment().train_interpolation().size(), 1U);
  EXPECT_EQ(read.augment().aa(), "rand-m9-inc1");
  EXPECT_EQ(read.augment().color_jitter(), (std::vector<double>{0.1, 0.2, 0.3}));
  EXPECT_EQ(read.augment().erasing().mode(), EraseMode::Pixel);
  EXPECT_EQ(read.augment().erasing().count(), 3);
  EXPECT_EQ(read.aug_repeats(), 1.5);
}

TEST(TrainOptions, AreLaidOverOthers) {
  const auto base = valid().lr(1).epochs(7);
  const auto read = train_options_from_json(R"({"options": {"lr": 2}, "data": {}})", base);
  EXPECT_EQ(read.lr(), 2);
  EXPECT_EQ(read.epochs(), 7);
  EXPECT_EQ(read.output(), "run");
}

TEST(TrainOptions, AreRefusedWhereJsonIsNotWhatARunWrites) {
  for (const auto* text :
       {"",
        "[]",
        "{",
        R"({"lr": "high"})",
        R"({"options": 3})",
        R"({"preprocess": {}})",
        R"({"scale": [1]})",
        R"({"freeze": "stem.*"})",
        R"({"train_interpolation": ["cubic"]})",
        R"({"remode": "pixels"})",
        R"({"color_jitter": "0.4"})",
        R"({"epochs": null})"}) {
    EXPECT_THROW(train_options_from_json(text), Error) << text;
  }
  try {
    train_options_from_json(R"({"wieght_decay": 1})");
    FAIL() << "an unknown option was taken";
  } catch (const UnknownNameError& error) {
    EXPECT_NE(std::string(error.what()).find("weight_decay"), std::string::npos) << error.what();
  }
}

TEST(TrainOptions, AreCheckedForTheirRanges) {
  EXPECT_NO_THROW(check_options(valid()));
  EXPECT_THROW(check_options(valid().epochs(0)), c10::ValueError);
  EXPECT_THROW(check_options(valid().warmup_epochs(-1)), c10::ValueError);
  EXPECT_THROW(check_options(valid().smoothing(1)), c10::ValueError);
  EXPECT_THROW(check_options(valid().clip_grad(-1)), c10::ValueError);
  EXPECT_THROW(check_options(valid().batch_size(0)), c10::ValueError);
  EXPECT_THROW(check_options(valid().workers(-1)), c10::ValueError);
  EXPECT_THROW(check_options(valid().lr(-1)), c10::ValueError);
  EXPECT_THROW(check_options(valid().layer_decay(0)), c10::ValueError);
  EXPECT_THROW(check_options(valid().aug_repeats(0.5)), c10::ValueError);
  EXPECT_THROW(check_options(valid().augment(AugmentOptions().aa("rand9"))), c10::ValueError);
  EXPECT_THROW(check_options(valid().layer_decay(1.1)), c10::ValueError);
  EXPECT_THROW(check_options(valid().data("")), c10::ValueError);
  EXPECT_THROW(check_options(valid().output("")), c10::ValueError);
}

TEST(MakeSchedule, CountsInUpdates) {
  const auto schedule = make_schedule(valid().epochs(10).warmup_epochs(2), /*updates=*/5);
  EXPECT_EQ(schedule.total_updates(), 50);
  EXPECT_EQ(schedule.warmup_updates(), 10);
}

}  // namespace
}  // namespace vitrine
