#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "vitrine/file.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/training_run.h"

#include "support/tensor_assert.h"
#include "train/small_run.h"

namespace vitrine {
namespace {

TEST_F(TrainTest, GoesOnAfterBeingStoppedToTheSameBits) {
  train(options("a"));
  TrainEvents events;
  int questions = 0;
  events.stop = [&] { return ++questions > 6; };
  TrainResult result;
  int calls = 0;
  do {
    questions = 0;  // each call lasts little more than an epoch
    result = train(options("b"), events);
    ASSERT_LT(++calls, 10);
  } while (result.outcome == TrainOutcome::Stopped);
  EXPECT_GT(calls, 2);
  EXPECT_EQ(result.outcome, TrainOutcome::Finished);
  EXPECT_EQ(last_checkpoint("a"), last_checkpoint("b"));
  EXPECT_EQ(metrics("b").size(), 3U);
}

TEST_F(TrainTest, SavesInTheMiddleOfAnEpoch) {
  TrainEvents events;
  int64_t updates = 0;
  events.step = [&](const StepReport&) { ++updates; };
  events.stop = [&] { return updates == 8; };
  const auto stopped = train(options("a").batch_size(4).save_every(2).keep(3), events);
  EXPECT_EQ(stopped.outcome, TrainOutcome::Stopped);
  EXPECT_EQ(stopped.epochs, 1);
  EXPECT_EQ(stopped.updates, 2);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "a/checkpoints")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(
      names,
      (std::vector<std::string>{
          "epoch-0001-update-000006.safetensors",
          "epoch-0001.safetensors",
          "epoch-0002-update-000002.safetensors"}));
  EXPECT_EQ(metrics("a").size(), 1U);
  std::vector<int64_t> start;
  events.stop = {};
  events.start = [&](const TrainStart& at) { start = {at.epoch, at.updates}; };
  EXPECT_EQ(train(options("a").batch_size(4), events).outcome, TrainOutcome::Finished);
  EXPECT_EQ(start, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(updates, 18);
}

TEST_F(TrainTest, ValidatesAnEpochThatWasStoppedBeforeItsValidation) {
  train(options("a"));
  TrainEvents events;
  int64_t updates = 0;
  events.step = [&](const StepReport&) { ++updates; };
  int questions = 0;
  events.stop = [&] { return ++questions == 4; };  // three are asked after updates
  EXPECT_EQ(train(options("b"), events).updates, 3);
  events.stop = {};
  EXPECT_EQ(train(options("b"), events).outcome, TrainOutcome::Finished);
  EXPECT_EQ(updates, 9);
  EXPECT_EQ(last_checkpoint("a"), last_checkpoint("b"));
  EXPECT_EQ(metrics("b")[0]["train_loss"], metrics("a")[0]["train_loss"]);
}

TEST_F(TrainTest, GoesOnFromAnyUpdateOfEachFamilyToTheSameBits) {
  constexpr int64_t kEpochs = 4;
  constexpr int64_t kUpdates = 3;    // of an epoch
  constexpr std::size_t kStops = 7;  // of a run, and 21 of a family
  std::vector<int64_t> within;       // updates after which an epoch is not at its end
  for (int64_t update = 1; update < kEpochs * kUpdates; ++update) {
    if (update % kUpdates != 0) {
      within.push_back(update);
    }
  }
  std::mt19937 random(0);  // NOLINT: the same each time
  for (const auto* model :
       {"vitrine_vit_patch4_32", "vitrine_swin_patch2_window4_32", "vitrine_mobilevit_32"}) {
    SCOPED_TRACE(model);
    const auto of = [&](const std::string& run) {
      auto result = rich_options(run).model(model).model_options({}).epochs(kEpochs);
      result.preprocess(PreprocessOptions().height(32).width(32).crop_pct(1));
      result.augment().hflip(0.5).aa("rand-m9-mstd0.5-inc1");
      return result.grad_accum_steps(2);
    };
    const std::string name = model;
    train(of(name));
    const auto expected = read_file(checkpoint_path(folder_ / (name + "/checkpoints"), kEpochs));
    for (const int64_t workers : {0, 1, 4}) {
      const auto run = name + std::to_string(workers);
      std::shuffle(within.begin(), within.end(), random);
      for (const auto wanted : std::set<int64_t>(within.begin(), within.begin() + kStops)) {
        TrainEvents events;
        int64_t step = 0;
        events.step = [&](const StepReport& report) {
          step = kUpdates * (report.epoch - 1) + report.progress.updates;
        };
        events.stop = [&] { return step == wanted; };
        EXPECT_EQ(train(of(run).workers(workers), events).outcome, TrainOutcome::Stopped);
      }
      EXPECT_EQ(train(of(run).workers(workers)).outcome, TrainOutcome::Finished);
      EXPECT_EQ(read_file(checkpoint_path(folder_ / (run + "/checkpoints"), kEpochs)), expected);
    }
  }
}

TEST_F(TrainTest, GoesOnToTheSameBitsAtSeveralSizes) {
  for (const auto* model : {"vitrine_vit_patch4_32", "vitrine_mobilevit_32"}) {
    SCOPED_TRACE(model);
    const auto of = [&](const std::string& run) {
      auto result = rich_options(run).model(model).grad_accum_steps(2).multi_scale({24, 32, 40});
      result.model_options({}).preprocess(PreprocessOptions().height(32).width(32).crop_pct(1));
      if (model == std::string("vitrine_vit_patch4_32")) {
        result.model_options().set("dynamic_img_size", true);
      }
      result.augment().hflip(0.5);
      return result.skip_bad_images(true);
    };
    const std::string name = model;
    std::vector<int64_t> updates;  // of each epoch
    std::vector<double> rates;
    TrainEvents whole;
    whole.step = [&](const StepReport& step) {
      updates.resize(static_cast<std::size_t>(step.epoch));
      updates.back() = step.batches;
      EXPECT_EQ(step.images, 24);
      EXPECT_LE(step.batch, step.batches);
      rates.push_back(step.lr);
    };
    whole.epoch = [&](const EpochRecord& record, bool) {
      EXPECT_EQ(record.step, static_cast<int64_t>(rates.size()));
    };
    train(of(name), whole);
    EXPECT_EQ(updates.size(), 3U);
    const auto all = static_cast<int64_t>(rates.size());
    for (const int64_t workers : {0, 4}) {
      for (const auto wanted : std::set<int64_t>{1, updates[0] + 1, all - 1}) {
        const auto run = name + std::to_string(workers) + "-" + std::to_string(wanted);
        TrainEvents events;
        int64_t done = 0;
        events.step = [&](const StepReport&) { ++done; };
        events.stop = [&] { return done == wanted; };
        EXPECT_EQ(train(of(run).workers(workers), events).outcome, TrainOutcome::Stopped);
        EXPECT_EQ(train(of(run).workers(workers)).outcome, TrainOutcome::Finished);
        EXPECT_EQ(last_checkpoint(run), last_checkpoint(name));
      }
    }
  }
}

TEST_F(TrainTest, ConvolvesWithChannelsLastAndGoesOnToTheSameBits) {
  const auto of = [&](const std::string& run) {
    auto result = rich_options(run).model("vitrine_mobilevit_32").grad_accum_steps(2);
    result.model_options({}).preprocess(PreprocessOptions().height(32).width(32).crop_pct(1));
    return result.epochs(2);
  };
  const auto last = [&](const std::string& run) {
    return checkpoint_path(folder_ / (run + "/checkpoints"), 2);
  };
  train(of("plain"));
  train(of("a").channels_last(true));
  const auto plain = read_checkpoint(last("plain"));
  for (const auto& item : read_checkpoint(last("a")).model) {
    EXPECT_TENSOR_NEAR(item.value(), *plain.model.find(item.key()), 1e-3) << item.key();
  }
  TrainEvents events;
  int64_t updates = 0;
  events.step = [&](const StepReport&) { ++updates; };
  events.stop = [&] { return updates == 2; };
  EXPECT_EQ(train(of("b").channels_last(true), events).outcome, TrainOutcome::Stopped);
  EXPECT_EQ(train(of("b").channels_last(true)).outcome, TrainOutcome::Finished);
  EXPECT_EQ(read_file(last("b")), read_file(last("a")));
}

TEST_F(TrainTest, GoesOnToTheSameBitsWithEveryPartOfARecipe) {
  train(rich_options("a"));
  for (const auto last : {1, 2}) {
    const auto run = "b" + std::to_string(last);
    TrainEvents events;
    bool enough = false;
    events.epoch = [&](const EpochRecord& record, bool) { enough = record.epoch == last; };
    events.stop = [&] { return enough; };
    EXPECT_EQ(train(rich_options(run), events).outcome, TrainOutcome::Stopped);
    EXPECT_EQ(train(rich_options(run)).outcome, TrainOutcome::Finished);
    EXPECT_EQ(last_checkpoint(run), last_checkpoint("a"));
    EXPECT_EQ(
        read_file(folder_ / (run + "/best.safetensors")),
        read_file(folder_ / "a/best.safetensors"));
  }
}

TEST_F(TrainTest, GoesOnToTheSameBitsAtLowPrecision) {
  for (const auto precision : {Precision::Bf16, Precision::Fp16}) {
    const auto name = to_string(precision);
    const auto of = [&](const std::string& run) {
      return rich_options(run).grad_accum_steps(2).precision(precision);  // three updates an epoch
    };
    train(of(name));
    for (const int64_t wanted : {2, 4}) {
      const auto run = name + std::to_string(wanted);
      TrainEvents events;
      int64_t updates = 0;
      events.step = [&](const StepReport&) { ++updates; };
      events.stop = [&] { return updates == wanted; };
      EXPECT_EQ(train(of(run), events).outcome, TrainOutcome::Stopped);
      EXPECT_EQ(train(of(run)).outcome, TrainOutcome::Finished);
      EXPECT_EQ(last_checkpoint(run), last_checkpoint(name));
    }
    const auto last = read_checkpoint(checkpoint_path(folder_ / (name + "/checkpoints"), 3));
    EXPECT_EQ(last.state.scaler.has_value(), precision == Precision::Fp16);
    EXPECT_EQ(metrics(name)[0].contains("skipped_updates"), precision == Precision::Fp16);
  }
}

TEST_F(TrainTest, RepeatsAnEpochThatHasNoCheckpoint) {
  train(options("a"));
  const auto expected = last_checkpoint("a");
  const auto best = read_file(folder_ / "a/best.safetensors");
  std::filesystem::remove(checkpoint_path(folder_ / "a/checkpoints", 3));
  EXPECT_EQ(train(options("a")).outcome, TrainOutcome::Finished);
  EXPECT_EQ(last_checkpoint("a"), expected);
  EXPECT_EQ(read_file(folder_ / "a/best.safetensors"), best);
  EXPECT_EQ(metrics("a").size(), 3U);
}

TEST_F(TrainTest, FallsBackFromADamagedCheckpoint) {
  train(options("a"));
  const auto expected = last_checkpoint("a");
  const auto newest = checkpoint_path(folder_ / "a/checkpoints", 3);
  std::filesystem::resize_file(newest, 500);
  std::vector<std::string> warnings;
  TrainEvents events;
  events.warning = [&](const std::string& text) { warnings.push_back(text); };
  EXPECT_EQ(train(options("a"), events).outcome, TrainOutcome::Finished);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].rfind(newest, 0), 0U) << warnings[0];
  EXPECT_EQ(last_checkpoint("a"), expected);
}

TEST_F(TrainTest, LeavesAFinishedRunAlone) {
  train(options("a"));
  const auto path = folder_ / "a/metrics.jsonl";
  const auto before = std::filesystem::last_write_time(path);
  const auto result = train(options("a"));
  EXPECT_EQ(result.outcome, TrainOutcome::AlreadyFinished);
  EXPECT_EQ(result.epochs, 3);
  EXPECT_EQ(std::filesystem::last_write_time(path), before);
}

}  // namespace
}  // namespace vitrine
