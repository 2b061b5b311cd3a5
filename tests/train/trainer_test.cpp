#include "vitrine/train/trainer.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "vitrine/data/augment.h"
#include "vitrine/layers/observe.h"
#include "vitrine/models/registry.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/evaluator.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"
#include "train/small_model.h"
#include "train/small_trainer.h"

namespace vitrine {
namespace {

TEST_F(TrainerTest, LearnsAnEasyTask) {
  Trainer trainer(model(), options());
  EpochReport first{};
  EpochReport last{};
  for (int64_t epoch = 1; epoch <= 10; ++epoch) {
    last = trainer.train_epoch(data(), epoch).value();
    first = epoch == 1 ? last : first;
  }
  EXPECT_LT(last.loss, first.loss);
  EXPECT_EQ(evaluate(*trainer.model(), data())->top1, 1);
  EXPECT_GE(last.data_wait, 0);
  EXPECT_LE(last.data_wait, 1);
}

TEST_F(TrainerTest, LeavesOutTheLastBatchThatIsNotFull) {
  EXPECT_EQ(updates_per_epoch(30, 8), 3);
  EXPECT_EQ(updates_per_epoch(5, 8), 1);
  Trainer trainer(model(), options());
  trainer.train_epoch(data(), 1);
  EXPECT_EQ(trainer.optimizer().steps(), 3);
}

TEST_F(TrainerTest, UpdatesOnceForSeveralBatches) {
  EXPECT_EQ(updates_per_epoch(30, 8, 2), 2);
  EXPECT_EQ(updates_per_epoch(30, 8, 3), 1);
  EXPECT_EQ(updates_per_epoch(5, 8, 3), 1);
  // Of three batches the first two make an update, which is that of one batch twice as large.
  const auto updated = [&](const TrainerOptions& options) {
    Trainer trainer(vit(), options);
    trainer.train_epoch(data(), 1, [](const StepReport&) { return false; });
    return trainer.model();
  };
  auto halves = options().grad_accum_steps(2);
  auto whole = options().loader(LoaderOptions().batch_size(16).workers(1));
  for (auto* each : {&halves, &whole}) {
    each->optimizer().opt(OptimizerKind::Sgd).momentum(0);
  }
  const auto expected = state_dict(*updated(whole));
  for (const auto& item : state_dict(*updated(halves))) {
    EXPECT_TENSOR_NEAR(item.value(), expected[item.key()], 1e-6) << item.key();
  }
  std::vector<double> losses;
  Trainer trainer(vit(), halves);
  const auto report = trainer.train_epoch(data(), 1, [&](const StepReport& step) {
    EXPECT_EQ(step.batches, 2);
    losses.push_back(step.loss);
    return true;
  });
  EXPECT_EQ(trainer.optimizer().steps(), 2);
  ASSERT_EQ(losses.size(), 2U);
  EXPECT_NEAR(report->loss, (2 * losses[0] + losses[1]) / 3, 1e-9);
}

/// Keeps the shapes of the tokens that a ViT's blocks are given.
class TokenShapes final : public Observer {
 public:
  void on_value(
      const torch::nn::Module& /*module*/,
      std::string_view step,
      const torch::Tensor& value) override {
    if (step == "positions") {
      shapes.insert(value.sizes().vec());
    }
  }
  std::set<std::vector<int64_t>> shapes;
};

TEST_F(TrainerTest, TakesTheRateOfTheShareOfAnEpochAtSeveralSizes) {
  // 24 images of three updates of 8 at the size of the data make six of 4 at four times the pixels:
  // the rate is that of update 0, 0, 1, 1, 2, 2.
  auto given = options().multi_scale(MultiScaleOptions().sides({16}).base_pixels(128));
  given.schedule().sched(ScheduleKind::Linear).lr(0.6).total_updates(6);
  torch::manual_seed(1);
  Trainer trainer(
      create_model(
          "vitrine_vit_patch4_32",
          ModelOptions()
              .set("depth", int64_t{1})
              .set("embed_dim", int64_t{8})
              .set("num_heads", int64_t{1})
              .set("dynamic_img_size", true)
              .num_classes(3)),
      given);
  auto scaled = data();
  scaled.set_scales({TrainTransform(AugmentOptions(), PreprocessOptions().height(16).width(16))});
  TokenShapes tokens;
  const ObserverGuard guard(tokens);
  for (const int64_t epoch : {1, 2}) {
    std::vector<double> rates;
    const auto report = trainer.train_epoch(scaled, epoch, [&](const StepReport& step) {
      rates.push_back(step.lr);
      return true;
    });
    const double first = epoch == 1 ? 0.6 : 0.3;
    ASSERT_EQ(rates.size(), 6U);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const auto update = i / 2;  // of two batches each
      EXPECT_NEAR(rates[i], first - 0.1 * static_cast<double>(update), 1e-12) << i;
    }
    EXPECT_EQ(report->lr, rates.back());
  }
  EXPECT_EQ(trainer.updates(), 12);
  EXPECT_EQ(tokens.shapes, (std::set<std::vector<int64_t>>{{4, 17, 8}}));  // of 16 x 16 pixels
  EXPECT_VALUE_ERROR(trainer.train_epoch(data(), 3), "a scale for each of the 1 sides");
}

TEST_F(TrainerTest, AveragesTheWeights) {
  const auto ema = ModelEmaOptions().model_ema(true).model_ema_decay(0.75);
  auto model = vit();
  torch::manual_seed(3);
  const auto next = torch::rand(2);
  torch::manual_seed(3);
  Trainer trainer(std::move(model), options().model_ema(ema));
  EXPECT_TRUE(torch::equal(torch::rand(2), next));
  EXPECT_FALSE(trainer.average()->is_training());
  torch::Tensor expected;
  trainer.train_epoch(data(), 1, [&](const StepReport& step) {
    const auto weight = state_dict(*trainer.model())["head.weight"].detach();
    expected = step.batch == 1 ? weight.clone() : 0.75 * expected + 0.25 * weight;
    return true;
  });
  EXPECT_TENSOR_NEAR(state_dict(*trainer.average())["head.weight"], expected, 1e-6);
  EXPECT_EQ(&trainer.result(), trainer.average().get());
}

TEST_F(TrainerTest, GoesOnToTheSameBitsFromAnyEpoch) {
  Trainer whole(model(), options());
  for (int64_t epoch = 1; epoch <= 3; ++epoch) {
    whole.train_epoch(data(), epoch);
  }
  Trainer first(model(), options());
  first.train_epoch(data(), 1);
  Trainer second(std::make_shared<SmallModel>(3), options());
  restore_module(*second.model(), state_dict(*first.model()));
  second.optimizer().load_state(first.optimizer().state());
  torch::rand(7);  // the caller's random numbers are nothing to it
  second.train_epoch(data(), 2);
  second.train_epoch(data(), 3);
  const auto expected = state_dict(*whole.model());
  for (const auto& item : state_dict(*second.model())) {
    EXPECT_TRUE(torch::equal(item.value(), expected[item.key()])) << item.key();
  }
}

TEST_F(TrainerTest, GivesTheCallersRandomNumbersBack) {
  Trainer trainer(model(), options());
  torch::manual_seed(9);
  const auto expected = torch::rand(4);
  torch::manual_seed(9);
  trainer.train_epoch(data(), 1);
  EXPECT_TRUE(torch::equal(torch::rand(4), expected));
}

TEST_F(TrainerTest, TellsTheMeanLossOfTheEpochSoFar) {
  Trainer trainer(model(), options());
  std::vector<StepReport> steps;
  const auto report = trainer.train_epoch(data(), 1, [&](const StepReport& step) {
    steps.push_back(step);
    return true;
  });
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].progress.mean_loss(), steps[0].loss);
  EXPECT_NEAR(
      steps[2].progress.mean_loss(), (steps[0].loss + steps[1].loss + steps[2].loss) / 3, 1e-9);
  EXPECT_EQ(steps[2].progress.mean_loss(), report->loss);
  for (const auto& step : steps) {
    EXPECT_GE(step.data_wait, 0);
    EXPECT_LE(step.data_wait, 1);
  }
}

TEST_F(TrainerTest, StopsWhenTold) {
  Trainer trainer(model(), options());
  const auto report = trainer.train_epoch(data(), 1, [](const StepReport& step) {
    EXPECT_EQ(step.batches, 3);
    EXPECT_EQ(step.epoch, 1);
    return step.batch < 2;
  });
  EXPECT_FALSE(report.has_value());
  EXPECT_EQ(trainer.optimizer().steps(), 2);
}

TEST_F(TrainerTest, LearnsFromATeacherWithItsLastHead) {
  const auto distilled = [] {
    torch::manual_seed(1);
    return create_model(
        "vitrine_vit_patch4_32",
        ModelOptions()
            .set("depth", int64_t{1})
            .set("embed_dim", int64_t{8})
            .set("num_heads", int64_t{1})
            .set("distilled", true)
            .img_size(8, 8)
            .num_classes(3));
  };
  // A teacher that takes everything for the same class.
  const Teacher teacher = [](const torch::Tensor& images) {
    return torch::tensor({0.F, 9.F, 0.F}).repeat({images.size(0), 1});
  };
  auto taught = options().teacher(teacher);
  taught.distillation().distillation_type(DistillationType::Hard);
  // All of the loss is the teacher's: the head that learns from labels has no gradient but decay.
  taught.distillation().distillation_alpha(1);
  taught.optimizer().weight_decay(0);
  const auto before = state_dict(*distilled());
  Trainer trainer(distilled(), taught);
  for (int64_t epoch = 1; epoch <= 5; ++epoch) {
    trainer.train_epoch(data(), epoch);
  }
  const auto after = state_dict(*trainer.model());
  EXPECT_TRUE(torch::equal(after["head.weight"], before["head.weight"]));
  EXPECT_FALSE(torch::equal(after["head_dist.weight"], before["head_dist.weight"]));
  trainer.model()->eval();
  const auto images = torch::randn({4, 3, 8, 8});
  const auto heads = trainer.model()->forward_heads(trainer.model()->forward_features(images));
  EXPECT_TRUE(heads[1].argmax(1).eq(1).all().item<bool>());
  // A model with one head learns with that.
  Trainer single(vit(), taught);
  for (int64_t epoch = 1; epoch <= 5; ++epoch) {
    single.train_epoch(data(), epoch);
  }
  EXPECT_LT(evaluate(*single.model(), data())->top1, 0.5);
  EXPECT_THROW(Trainer(vit(), options().teacher(teacher)), c10::ValueError);
  EXPECT_THROW(Trainer(vit(), TrainerOptions(taught).teacher({})), c10::ValueError);
}

TEST_F(TrainerTest, MixesAsLongAsItIsTold) {
  // Images of a batch blended at random make another first loss than images as they are.
  const auto first_loss = [&](const MixupOptions& mixup, int64_t epoch) {
    double loss = 0;
    Trainer trainer(vit(), options().mixup(mixup));
    trainer.train_epoch(data(), epoch, [&](const StepReport& step) {
      loss = step.loss;
      return false;
    });
    return loss;
  };
  const auto mixup = MixupOptions().mixup(1).mixup_off_epoch(1);
  EXPECT_NE(first_loss(mixup, 1), first_loss(MixupOptions(), 1));
  EXPECT_EQ(first_loss(mixup, 1), first_loss(mixup, 1));
  EXPECT_EQ(first_loss(mixup, 2), first_loss(MixupOptions(), 2));
}

}  // namespace
}  // namespace vitrine
