#include "vitrine/train/train_options.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "support/value_error.h"

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
  options.optimizer().opt(OptimizerKind::Sgd).momentum(0.8).eps(1e-7);
  options.lr_base(0.2).lr_base_scale(LrBaseScale::Sqrt).decay_milestones({1, 5});
  options.clip_mode(ClipMode::Agc).grad_accum_steps(3).eval_metric(EvalMetric::Loss);
  options.loss().bce_loss(true).bce_target_thresh(0.1).class_weights({1, 0.5});
  options.mixup().cutmix_minmax(Bounds(0.2, 0.8)).mixup_mode(MixupMode::Elem);
  options.model_ema().model_ema(true).model_ema_decay(0.9);
  options.augment().scale({0.5, 1}).train_interpolation({Interpolation::Nearest});
  options.augment().aa("rand-m9-inc1").color_jitter({0.1, 0.2, 0.3}).grayscale_prob(0.25);
  options.augment().erasing().probability(0.5).mode(EraseMode::Pixel).count(3).area({0.1, 0.2});
  options.aug_repeats(1.5).precision(Precision::Fp16).teacher("teacher.safetensors");
  options.distillation().distillation_type(DistillationType::Soft).distillation_alpha(0.25);
  options.distillation().distillation_tau(3);
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
  EXPECT_EQ(read.optimizer().eps(), 1e-7);
  EXPECT_EQ(read.lr_base(), 0.2);
  EXPECT_EQ(read.lr_base_scale(), LrBaseScale::Sqrt);
  EXPECT_EQ(read.decay_milestones(), options.decay_milestones());
  EXPECT_EQ(read.clip_mode(), ClipMode::Agc);
  EXPECT_EQ(read.eval_metric(), EvalMetric::Loss);
  EXPECT_EQ(read.loss().bce_target_thresh(), 0.1);
  EXPECT_EQ(read.loss().class_weights(), options.loss().class_weights());
  EXPECT_EQ(read.mixup().cutmix_minmax(), Bounds(0.2, 0.8));
  EXPECT_EQ(read.mixup().mixup_mode(), MixupMode::Elem);
  EXPECT_EQ(read.model_ema().model_ema_decay(), 0.9);
  EXPECT_EQ(read.augment().train_interpolation().size(), 1U);
  EXPECT_EQ(read.augment().aa(), "rand-m9-inc1");
  EXPECT_EQ(read.augment().color_jitter(), (std::vector<double>{0.1, 0.2, 0.3}));
  EXPECT_EQ(read.augment().erasing().mode(), EraseMode::Pixel);
  EXPECT_EQ(read.augment().erasing().count(), 3);
  EXPECT_EQ(read.aug_repeats(), 1.5);
  EXPECT_EQ(read.precision(), Precision::Fp16);
  EXPECT_EQ(read.teacher(), "teacher.safetensors");
  EXPECT_EQ(read.distillation().distillation_type(), DistillationType::Soft);
  EXPECT_EQ(read.distillation().distillation_alpha(), 0.25);
  EXPECT_EQ(read.distillation().distillation_tau(), 3);
}

TEST(TrainOptions, AreLaidOverOthers) {
  const auto base = valid().lr(1).epochs(7);
  const auto read = train_options_from_json(R"({"options": {"lr": 2}, "data": {}})", base);
  EXPECT_EQ(read.lr(), 2);
  EXPECT_EQ(read.epochs(), 7);
  EXPECT_EQ(read.output(), "run");
}

TEST(TrainOptions, SayApartHowARunGoesAboutIt) {
  const auto options = valid().workers(5).save_every(6).keep(7).grad_checkpointing(true);
  const auto text = R"({"options": )" + train_options_to_json(options) + R"(, "running": )" +
                    running_options_to_json(options) + "}";
  const auto read = train_options_from_json(text);
  EXPECT_EQ(read.workers(), 5);
  EXPECT_EQ(read.save_every(), 6);
  EXPECT_EQ(read.keep(), 7);
  EXPECT_TRUE(read.grad_checkpointing());
  EXPECT_EQ(train_options_to_json(options), train_options_to_json(valid()));
}

/// The option preprocess, with these members among the others.
std::string preprocess(const std::string& height, const std::string& crop) {
  return R"("preprocess": {)" + height + R"(, "width": 8, )" + crop +
         R"(, "crop_mode": "center", "interpolation": "bicubic", "mean": [0, 0, 0], )" +
         R"("std": [1, 1, 1]})";
}

TEST(TrainOptions, AreRefusedWhereJsonIsNotWhatARunWrites) {
  const auto refuse = [](const std::string& text, const std::string& cause) {
    SCOPED_TRACE(text);
    expect_refusal<Error>([&] { train_options_from_json(text); }, "", {cause});
  };
  for (const auto* text : {"", "[]", "{", R"({"options": 3})"}) {
    refuse(text, "a JSON object");
  }
  const std::vector<std::pair<std::string, std::string>> options = {
      {R"("lr": "high")", "option lr of a run: got \"high\", expected a number"},
      {R"("preprocess": {})", "preprocess"},
      {R"("scale": [1])", "scale"},
      {R"("freeze": "stem.*")", "option freeze of a run"},
      {R"("train_interpolation": ["cubic"])", "'cubic'"},
      {R"("decay_milestones": [1.5])", "option decay_milestones of a run"},
      {R"("decay_milestones": 3)", "option decay_milestones of a run"},
      {R"("lr_base": "high")", "lr_base"},
      {R"("mixup_mode": "pairs")", "'pairs'"},
      {R"("cutmix_minmax": [0.1])", "cutmix_minmax"},
      {R"("remode": "pixels")", "'pixels'"},
      {R"("precision": "fp8")", "'fp8'"},
      {R"("color_jitter": "0.4")", "color_jitter"},
      {R"("scale": [0.5, 1, 2])", "expected a list of 2"},
      {preprocess(R"("height": 8)", R"("crop_pctt": 0.5)"), "crop_mode, interpolation, mean"},
      {preprocess(R"("height": 8.9)", R"("crop_pct": 0.5)"), "a whole number"},
      {preprocess(R"("height": 8, "more": 1)", R"("crop_pct": 0.5)"), "and nothing else"},
      {R"("epochs": null)", "option epochs of a run: got null, expected a whole number"}};
  for (const auto& [option, cause] : options) {
    refuse("{" + option + "}", cause);
  }
  refuse(R"({"options": {}, "running": {"keap": 1}})", "keep");
  refuse(R"({"wieght_decay": 1})", "weight_decay");
}

TEST(TrainOptions, AreCheckedForTheirRanges) {
  EXPECT_NO_THROW(check_options(valid()));
  EXPECT_THROW(check_options(valid().epochs(0)), c10::ValueError);
  EXPECT_THROW(check_options(valid().warmup_epochs(-1)), c10::ValueError);
  EXPECT_THROW(check_options(valid().loss(LossOptions().smoothing(1))), c10::ValueError);
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

TEST(TrainOptions, AreCheckedForWhatCannotGoTogether) {
  EXPECT_VALUE_ERROR(
      check_options(valid().sched(ScheduleKind::Step).cooldown_epochs(1)),
      "cooldown_epochs needs a schedule that ends at min_lr");
  EXPECT_VALUE_ERROR(
      check_options(valid().clip_mode(ClipMode::Agc)), "clip_mode agc needs a clip_grad above 0");
  EXPECT_VALUE_ERROR(
      check_options(valid().balance_classes(true).loss(LossOptions().class_weights({1, 2}))),
      "exclude each other");
  EXPECT_VALUE_ERROR(check_options(valid().decay_milestones({3, 2})), "ascend");
  EXPECT_VALUE_ERROR(check_options(valid().lr_base(-1)), "lr_base");
  EXPECT_VALUE_ERROR(check_options(valid().grad_accum_steps(0)), "grad_accum_steps");
  EXPECT_NO_THROW(check_options(valid().sched(ScheduleKind::Poly).decay_rate(2)));
  EXPECT_VALUE_ERROR(
      check_options(valid().sched(ScheduleKind::Plateau).decay_rate(2)), "below 1, but got 2");
}

TEST(TotalEpochs, AddsWhatComesBeforeAndAfterTheSchedule) {
  const auto options = valid().epochs(10).warmup_epochs(2);
  EXPECT_EQ(total_epochs(options), 10);
  EXPECT_EQ(total_epochs(TrainOptions(options).warmup_prefix(true).cooldown_epochs(3)), 15);
}

TEST(PeakLr, GrowsWithTheImagesOfAnUpdate) {
  auto options = valid().lr(3).batch_size(32).grad_accum_steps(2);
  EXPECT_EQ(peak_lr(options), 3);
  options.lr_base(0.1).lr_base_size(256);
  EXPECT_DOUBLE_EQ(peak_lr(options), 0.05);  // the root of 64 / 256, for AdamW
  EXPECT_DOUBLE_EQ(peak_lr(TrainOptions(options).lr_base_scale(LrBaseScale::Linear)), 0.025);
  options.optimizer().opt(OptimizerKind::Sgd);
  EXPECT_DOUBLE_EQ(peak_lr(options), 0.025);
  EXPECT_DOUBLE_EQ(make_schedule(options, 1).lr(), 0.025);
}

TEST(MakeSchedule, CountsInUpdates) {
  const auto schedule = make_schedule(valid().epochs(10).warmup_epochs(2), /*updates_per_epoch=*/5);
  EXPECT_EQ(schedule.total_updates(), 50);
  EXPECT_EQ(schedule.warmup_updates(), 10);
  EXPECT_EQ(schedule.decay_updates(), 450);
  EXPECT_EQ(schedule.decay_milestones(), (std::vector<int64_t>{450, 900, 1350}));
}

}  // namespace
}  // namespace vitrine
