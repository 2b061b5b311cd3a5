#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/train/trainer.h"
#include "vitrine/weights/state_dict.h"

#include "train/small_trainer.h"

namespace vitrine {
namespace {

TEST_F(TrainerTest, StopsBeforeAnUpdateThatIsNotFinite) {
  auto broken = model();
  {
    const torch::NoGradGuard no_grad;
    broken->head->bias[0] = std::numeric_limits<float>::infinity();
  }
  const auto before = broken->conv->weight.detach().clone();
  Trainer trainer(broken, options());
  try {
    trainer.train_epoch(data(), 1);
    FAIL() << "a loss that is not finite was trained on";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("epoch 1, before update 1"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(torch::equal(broken->conv->weight, before));
}

TEST_F(TrainerTest, LearnsAtAnyPrecisionWithWeightsOfFloat32) {
  const auto trained = [&](Precision precision) {
    Trainer trainer(vit(), options().precision(precision));
    double loss = 0;
    for (int64_t epoch = 1; epoch <= 8; ++epoch) {
      loss = trainer.train_epoch(data(), epoch)->loss;
    }
    for (const auto& item : trainer.optimizer().state()) {
      EXPECT_NE(item.value().scalar_type(), torch::kHalf) << item.key();
      EXPECT_NE(item.value().scalar_type(), torch::kBFloat16) << item.key();
    }
    for (const auto& parameter : trainer.model()->parameters()) {
      EXPECT_EQ(parameter.scalar_type(), torch::kFloat);
    }
    return loss;
  };
  const auto expected = trained(Precision::Fp32);
  for (const auto precision : {Precision::Bf16, Precision::Fp16}) {
    const auto loss = trained(precision);
    EXPECT_NE(loss, expected);
    EXPECT_NEAR(loss, expected, 0.05 * expected);
  }
}

TEST_F(TrainerTest, LeavesOutUpdatesWhoseScaledGradientsOverflow) {
  auto half = options().precision(Precision::Fp16);
  half.grad_scaler().init_scale(std::pow(2, 30));
  Trainer trainer(vit(), half.model_ema(ModelEmaOptions().model_ema(true)));
  const auto before = state_dict(*vit());
  std::vector<bool> skipped;
  const auto report = trainer.train_epoch(data(), 1, [&](const StepReport& step) {
    skipped.push_back(step.skipped);
    EXPECT_EQ(step.progress.skipped_updates, step.batch);
    EXPECT_TRUE(std::isfinite(step.loss));
    return true;
  });
  EXPECT_EQ(skipped, std::vector<bool>(3, true));
  EXPECT_EQ(report->skipped_updates, 3);
  EXPECT_EQ(trainer.updates(), 3);
  EXPECT_EQ(trainer.optimizer().steps(), 0);
  EXPECT_EQ(trainer.scaler()->state().scale, std::pow(2, 27));
  for (const auto* model : {trainer.model().get(), trainer.average().get()}) {
    for (const auto& item : state_dict(*model)) {
      EXPECT_TRUE(torch::equal(item.value(), before[item.key()])) << item.key();
    }
  }
  // In the end the scale is low enough.
  for (int64_t epoch = 2; epoch <= 10; ++epoch) {
    trainer.train_epoch(data(), epoch);
  }
  EXPECT_GT(trainer.optimizer().steps(), 0);
  EXPECT_EQ(trainer.updates(), 30);
  EXPECT_EQ(trainer.scaler()->skipped_updates() + trainer.optimizer().steps(), 30);
}

TEST_F(TrainerTest, LeavesOutUpdatesWhoseLossIsNotFinite) {
  // Of the second batch the teacher is so sure that the loss is NaN: 0 times an infinite logarithm.
  // Its gradients are finite.
  int64_t asked = 0;
  const Teacher teacher = [&asked](const torch::Tensor& images) {
    const float least = ++asked == 2 ? -INFINITY : 0.F;
    return torch::tensor({least, 0.F, 0.F}).repeat({images.size(0), 1});
  };
  auto half = options().precision(Precision::Fp16).teacher(teacher);
  half.distillation().distillation_type(DistillationType::Soft);
  half.grad_scaler().init_scale(1024);
  Trainer trainer(vit(), half);
  std::vector<bool> skipped;
  std::vector<double> losses;
  std::vector<torch::Tensor> weights;
  const auto report = trainer.train_epoch(data(), 1, [&](const StepReport& step) {
    skipped.push_back(step.skipped);
    losses.push_back(step.loss);
    weights.push_back(state_dict(*trainer.model())["head.weight"].detach().clone());
    EXPECT_TRUE(std::isfinite(step.progress.mean_loss()));
    return true;
  });
  ASSERT_EQ(skipped, (std::vector<bool>{false, true, false}));
  EXPECT_TRUE(std::isnan(losses[1]));
  EXPECT_NEAR(report->loss, (losses[0] + losses[2]) / 2, 1e-9);
  EXPECT_EQ(report->skipped_updates, 1);
  EXPECT_EQ(trainer.updates(), 3);
  EXPECT_EQ(trainer.optimizer().steps(), 2);
  EXPECT_EQ(trainer.scaler()->state().scale, 512);
  EXPECT_TRUE(torch::equal(weights[1], weights[0]));
  EXPECT_FALSE(torch::equal(weights[2], weights[1]));
}

TEST_F(TrainerTest, StopsWhereNoScaleKeepsTheLossFinite) {
  auto half = options().precision(Precision::Fp16);
  half.grad_scaler().init_scale(4);
  auto broken = vit();
  {
    const torch::NoGradGuard no_grad;
    state_dict(*broken)["head.bias"].fill_(NAN);
  }
  Trainer trainer(std::move(broken), half);
  const auto report = trainer.train_epoch(data(), 1);  // at the scales 4, 2 and 1
  EXPECT_EQ(report->skipped_updates, 3);
  EXPECT_TRUE(std::isnan(report->loss));
  try {
    trainer.train_epoch(data(), 2);
    FAIL() << "a loss that stays NaN was left out once more";
  } catch (const Error& error) {
    const std::string message = error.what();
    const auto start =
        "training stopped in epoch 2, before update 4: the loss is NaN on " + (folder_ / "class");
    EXPECT_EQ(message.rfind(start, 0), 0U) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  EXPECT_EQ(trainer.optimizer().steps(), 0);
}

TEST_F(TrainerTest, StopsWhereNoScaleKeepsGradientsFinite) {
  auto half = options().precision(Precision::Fp16);
  half.grad_scaler().init_scale(0.5);
  auto broken = vit();
  // The loss stays finite, and its gradient does not.
  broken->parameters().back().register_hook(
      [](const torch::Tensor& gradient) { return torch::full_like(gradient, NAN); });
  Trainer trainer(std::move(broken), half);
  EXPECT_THROW(trainer.train_epoch(data(), 1), Error);
  EXPECT_EQ(Trainer(vit(), options().precision(Precision::Bf16)).scaler(), nullptr);
}

TEST_F(TrainerTest, ClipsAdaptivelyAllButTheHead) {
  auto clipped = options().clip_grad(1e-3).clip_mode(ClipMode::Agc);
  clipped.optimizer().opt(OptimizerKind::Sgd).momentum(0).weight_decay(0);
  clipped.schedule().lr(1);
  auto free = TrainerOptions(clipped).clip_grad(0).clip_mode(ClipMode::Norm);
  const auto updated = [&](const TrainerOptions& options) {
    Trainer trainer(vit(), options);
    trainer.train_epoch(data(), 1, [](const StepReport&) { return false; });
    return state_dict(*trainer.model());
  };
  const auto before = state_dict(*vit());
  const auto by_agc = updated(clipped);
  const auto by_all = updated(free);
  EXPECT_TRUE(torch::equal(by_agc["head.weight"], by_all["head.weight"]));
  const auto* const key = "blocks.0.mlp.fc1.weight";
  const auto moved = (by_agc[key] - before[key]).norm(2, {1});
  EXPECT_TRUE(moved.le(before[key].norm(2, {1}).clamp_min(1e-3) * 1.001e-3).all().item<bool>());
  EXPECT_FALSE(torch::equal(by_agc[key], by_all[key]));
  EXPECT_THROW(Trainer(vit(), TrainerOptions(clipped).clip_grad(0)), c10::ValueError);
}

TEST_F(TrainerTest, BoundsEveryNumberOfTheGradients) {
  auto clipped = options().clip_grad(1e-4).clip_mode(ClipMode::Value);
  clipped.optimizer().opt(OptimizerKind::Sgd).momentum(0).weight_decay(0);
  clipped.schedule().lr(1);
  Trainer trainer(vit(), clipped);
  trainer.train_epoch(data(), 1, [](const StepReport&) { return false; });
  const auto before = state_dict(*vit());
  for (const auto& item : state_dict(*trainer.model())) {
    EXPECT_LE((item.value() - before[item.key()]).abs().max().item<double>(), 1.01e-4);
  }
}

TEST_F(TrainerTest, ClipsGradients) {
  // With plain SGD at rate 1 the first update is as long as the clipped gradient.
  auto clipped = options().clip_grad(0.01);
  clipped.optimizer().opt(OptimizerKind::Sgd).momentum(0).weight_decay(0);
  clipped.schedule().lr(1);
  auto trained = model();
  std::vector<torch::Tensor> before;
  for (const auto& parameter : trained->parameters()) {
    before.push_back(parameter.detach().clone());
  }
  Trainer trainer(trained, clipped);
  trainer.train_epoch(data(), 1, [](const StepReport&) { return false; });
  double squares = 0;
  const auto after = trained->parameters();
  for (std::size_t i = 0; i < after.size(); ++i) {
    squares += (after[i].detach() - before[i]).square().sum().item<double>();
  }
  EXPECT_NEAR(std::sqrt(squares), 0.01, 1e-5);
}

}  // namespace
}  // namespace vitrine
