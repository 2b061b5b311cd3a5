#include "vitrine/train/training_run.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/run_folder.h"
#include "vitrine/weights/model_file.h"

#include "support/drawn_data.h"
#include "support/temporary_folder.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

class TrainTest : public ::testing::Test {
 protected:
  TrainTest() { draw_splits(folder_ / "data", /*classes=*/3, /*train_count=*/8, /*val_count=*/4); }

  /// The same with all of a recipe that has a state or draws random numbers.
  TrainOptions rich_options(const std::string& run) const {
    auto result = options(run).sched(ScheduleKind::Plateau).patience_epochs(0).warmup_epochs(0);
    result.optimizer().opt(OptimizerKind::Lamb);
    result.clip_mode(ClipMode::Agc).clip_grad(0.1).batch_size(4).grad_accum_steps(4);
    result.mixup().mixup(0.5).cutmix(1).mixup_mode(MixupMode::Pair).mixup_off_epoch(2);
    result.model_ema().model_ema(true).model_ema_warmup(true);
    result.loss().bce_loss(true);
    return result.balance_classes(true);
  }

  /// A run of three epochs with a ViT of one block, drop path and augmentation.
  TrainOptions options(const std::string& run) const {
    auto result = TrainOptions()
                      .data(folder_ / "data")
                      .output(folder_ / run)
                      .model("vitrine_vit_patch4_32")
                      .model_options(ModelOptions()
                                         .set("depth", int64_t{2})
                                         .set("embed_dim", int64_t{16})
                                         .set("num_heads", int64_t{2})
                                         .drop_path_rate(0.2)
                                         .drop_rate(0.1))
                      .preprocess(PreprocessOptions().height(8).width(8).crop_pct(1))
                      .lr(1e-2)
                      .epochs(3)
                      .warmup_epochs(1)
                      .batch_size(8)
                      .workers(1);
    result.augment().scale({0.8, 1}).degrees(5);
    return result;
  }

  std::string last_checkpoint(const std::string& run) const {
    const auto bytes = read_file(checkpoint_path(folder_ / (run + "/checkpoints"), 3));
    return {bytes.begin(), bytes.end()};
  }

  std::vector<nlohmann::json> metrics(const std::string& run) const {
    std::ifstream file(folder_ / (run + "/metrics.jsonl"));
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(file, line);) {
      lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
  }

  template <typename Function>
  static std::string message_of(Function&& function) {
    try {
      function();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
};

TEST_F(TrainTest, WritesMetricsCheckpointsAndTheBestModel) {
  int64_t steps = 0;
  std::vector<EpochRecord> epochs;
  TrainEvents events;
  events.step = [&](const StepReport&) { ++steps; };
  events.epoch = [&](const EpochRecord& record, bool) { epochs.push_back(record); };
  const auto result = train(options("a"), events);
  EXPECT_EQ(result.outcome, TrainOutcome::Finished);
  EXPECT_EQ(result.epochs, 3);
  EXPECT_EQ(steps, 9);
  ASSERT_EQ(epochs.size(), 3U);
  const auto lines = metrics("a");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2]["epoch"], 3);
  EXPECT_EQ(lines[2]["step"], 9);
  for (const auto* field :
       {"lr",
        "train_loss",
        "val_loss",
        "val_top1",
        "val_top5",
        "images_per_second",
        "data_wait",
        "seconds"}) {
    EXPECT_TRUE(lines[0].contains(field)) << field;
  }
  const auto checkpoints = folder_ / "a/checkpoints";
  EXPECT_FALSE(std::filesystem::exists(checkpoint_path(checkpoints, 1)));
  EXPECT_TRUE(std::filesystem::exists(checkpoint_path(checkpoints, 2)));
  EXPECT_TRUE(std::filesystem::exists(checkpoint_path(checkpoints, 3)));

  const auto best = load_model(folder_ / "a/best.safetensors");
  EXPECT_EQ(best.card.labels, (std::vector<std::string>{"class0", "class1", "class2"}));
  EXPECT_EQ(best.card.preprocess.height(), 8);
  EXPECT_EQ(best.model->num_classes(), 3);
  EXPECT_EQ(best.card.provenance.at("epoch"), std::to_string(result.best_epoch));
}

TEST_F(TrainTest, KeepsTheSameMetricsForOtherReaders) {
  const auto count_lines = [&](const std::string& name) {
    std::ifstream file(folder_ / name);
    int64_t count = 0;
    for (std::string line; std::getline(file, line);) {
      ++count;
    }
    return count;
  };
  const auto count_events = [&] {
    int64_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "a")) {
      count += entry.path().filename().string().rfind("events.out.tfevents.", 0) == 0 ? 1 : 0;
    }
    return count;
  };
  train(options("a"));
  EXPECT_EQ(count_lines("a/metrics.csv"), 4);
  EXPECT_EQ(count_events(), 1);
  std::filesystem::remove(checkpoint_path(folder_ / "a/checkpoints", 3));
  train(options("a"));
  EXPECT_EQ(count_lines("a/metrics.csv"), 4);
  EXPECT_EQ(count_events(), 1);
  train(options("a").fresh(true).epochs(1));
  EXPECT_EQ(count_lines("a/metrics.csv"), 2);
  EXPECT_EQ(count_events(), 1);
}

TEST_F(TrainTest, WritesAReportWhenItEndsAndWhenItIsStopped) {
  const auto report = [&] {
    const auto bytes = read_file(folder_ / "a/report.html");
    return std::string(bytes.begin(), bytes.end());
  };
  TrainEvents events;
  int64_t epochs = 0;
  events.epoch = [&](const EpochRecord&, bool) { ++epochs; };
  events.stop = [&] { return epochs == 1; };
  EXPECT_EQ(train(options("a"), events).outcome, TrainOutcome::Stopped);
  EXPECT_NE(report().find("<span>best epoch</span>"), std::string::npos);
  EXPECT_NE(report().find("<b>1 of 1</b>"), std::string::npos);
  EXPECT_NE(report().find("class2"), std::string::npos);
  const auto result = train(options("a"));
  const auto best = "<b>" + std::to_string(result.best_epoch) + " of 3</b>";
  EXPECT_NE(report().find(best), std::string::npos);
  EXPECT_NE(report().find("Answers by class"), std::string::npos);
  EXPECT_NE(report().find("Training images"), std::string::npos);
  // A finished run whose report is missing gets it from its files, the same.
  const auto finished = report();
  std::filesystem::remove(folder_ / "a/report.html");
  EXPECT_EQ(train(options("a")).outcome, TrainOutcome::AlreadyFinished);
  EXPECT_EQ(report(), finished);
}

TEST_F(TrainTest, ReportsTheBestModelOfAnEarlierCallInARunThatIsStoppedAgain) {
  const auto stop_after = [&](int64_t epoch) {
    TrainEvents events;
    bool reached = false;
    events.epoch = [&](const EpochRecord& record, bool) { reached = record.epoch == epoch; };
    events.stop = [&] { return reached; };
    // Nothing is learned, so that no later epoch is better than the first.
    return train(options("a").lr(0).min_lr(0).warmup_lr(0), events);
  };
  const auto evaluation_of = [&] {
    const auto bytes = read_file(folder_ / "a/report.html");
    const std::string page(bytes.begin(), bytes.end());
    const auto begin = page.find("Answers by class");
    EXPECT_NE(begin, std::string::npos);
    return page.substr(std::min(begin, page.size()), page.find("Training images") - begin);
  };
  EXPECT_EQ(stop_after(1).outcome, TrainOutcome::Stopped);
  const auto first = evaluation_of();
  const auto again = stop_after(2);
  EXPECT_EQ(again.outcome, TrainOutcome::Stopped);
  EXPECT_EQ(again.best_epoch, 1);
  EXPECT_EQ(evaluation_of(), first);
  // Where best.json is no longer what the run wrote, the model is judged again in the end.
  std::ofstream(folder_ / "a/best.json") << "{\"epoch\": 1}";
  EXPECT_EQ(train(options("a").lr(0).min_lr(0).warmup_lr(0)).outcome, TrainOutcome::Finished);
  EXPECT_EQ(evaluation_of(), first);
}

TEST_F(TrainTest, WritesNoReportOfARunWithoutAnEpoch) {
  TrainEvents events;
  events.stop = [] { return true; };
  EXPECT_EQ(train(options("a"), events).outcome, TrainOutcome::Stopped);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a/report.html"));
}

TEST_F(TrainTest, DoesNotDependOnTheNumberOfWorkers) {
  train(options("a").workers(0));
  train(options("b").workers(4));
  EXPECT_EQ(last_checkpoint("a"), last_checkpoint("b"));
}

TEST_F(TrainTest, DependsOnTheSeed) {
  train(options("a"));
  train(options("b").seed(43));
  EXPECT_NE(last_checkpoint("a"), last_checkpoint("b"));
}

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
  std::mt19937 random(0);  // NOLINT: the same each time
  for (const auto* model :
       {"vitrine_vit_patch4_32", "vitrine_swin_patch2_window4_32", "vitrine_mobilevit_32"}) {
    SCOPED_TRACE(model);
    const auto of = [&](const std::string& run) {
      auto result = rich_options(run).model(model).model_options({}).epochs(2).grad_accum_steps(2);
      result.preprocess(PreprocessOptions().height(32).width(32).crop_pct(1));
      result.augment().hflip(0.5);
      return result;  // three updates an epoch
    };
    const std::string name = model;
    train(of(name));
    const auto expected = read_file(checkpoint_path(folder_ / (name + "/checkpoints"), 2));
    for (const int64_t workers : {0, 1, 4}) {
      const auto run = name + std::to_string(workers);
      // Two stops: within the first epoch and within the second.
      for (const auto least : {1, 4}) {
        const auto wanted = least + static_cast<int64_t>(random() % 2);
        TrainEvents events;
        int64_t step = 0;
        events.step = [&](const StepReport& report) {
          step = 3 * (report.epoch - 1) + report.progress.updates;
        };
        events.stop = [&] { return step == wanted; };
        EXPECT_EQ(train(of(run).workers(workers), events).outcome, TrainOutcome::Stopped);
      }
      EXPECT_EQ(train(of(run).workers(workers)).outcome, TrainOutcome::Finished);
      EXPECT_EQ(read_file(checkpoint_path(folder_ / (run + "/checkpoints"), 2)), expected);
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

TEST_F(TrainTest, GivesTheSameBitsWithGradientCheckpointing) {
  for (const auto* model :
       {"vitrine_vit_patch4_32", "vitrine_swin_patch2_window4_32", "vitrine_mobilevit_32"}) {
    SCOPED_TRACE(model);
    const auto of = [&](const std::string& run) {
      auto result = rich_options(run).model(model).epochs(2).grad_accum_steps(2);
      result.model_options(ModelOptions().drop_path_rate(0.2).drop_rate(0.1));
      return result.preprocess(PreprocessOptions().height(32).width(32).crop_pct(1));
    };
    const std::string name = model;
    train(of(name));
    train(of(name + "-less").grad_checkpointing(true));
    EXPECT_EQ(
        read_file(checkpoint_path(folder_ / (name + "-less/checkpoints"), 2)),
        read_file(checkpoint_path(folder_ / (name + "/checkpoints"), 2)));
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

TEST_F(TrainTest, RefusesSeveralSizesWhereTheModelTakesOne) {
  const auto swin = options("a")
                        .model("vitrine_swin_patch2_window4_32")
                        .model_options({})
                        .preprocess(PreprocessOptions().height(32).width(32))
                        .multi_scale({24, 32});
  EXPECT_VALUE_ERROR(train(swin), "multi_scale needs a model that takes images of any size");
  EXPECT_VALUE_ERROR(train(options("b").multi_scale({8, 16})), "dynamic_img_size=true");
  auto odd = options("c").multi_scale({8, 18});
  odd.model_options().set("dynamic_img_size", true);
  EXPECT_VALUE_ERROR(train(odd), "image size 18x18 is no multiple of the patch, 4");
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

TEST_F(TrainTest, KeepsNoModelWhoseWeightsAreNotFinite) {
  // One update, which overflows, and no loss after it that would show it.
  auto wild = options("a").epochs(1).warmup_epochs(0).batch_size(24).lr(1e30);
  wild.optimizer().opt(OptimizerKind::Sgd).weight_decay(1e30);
  EXPECT_NE(message_of([&] { train(wild); }).find("is no longer finite"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a/best.safetensors"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "a/checkpoints"));
  EXPECT_TRUE(metrics("a").empty());
}

TEST_F(TrainTest, ValidatesAndKeepsTheAverageOfTheWeights) {
  auto averaged = options("a").epochs(1).warmup_epochs(0);
  averaged.model_ema().model_ema(true).model_ema_decay(0.5);
  train(averaged);
  const auto line = metrics("a")[0];
  const auto read = read_checkpoint(checkpoint_path(folder_ / "a/checkpoints", 1));
  const auto best = load_model(folder_ / "a/best.safetensors");
  EXPECT_NE(line["val_loss"], line["raw_val_loss"]);
  for (const auto& item : state_dict(*best.model)) {
    EXPECT_TRUE(torch::equal(item.value(), read.ema[item.key()])) << item.key();
  }
  EXPECT_FALSE(torch::equal(read.ema["head.weight"], read.model["head.weight"]));
  auto plain = options("b").epochs(1).warmup_epochs(0);
  train(plain);
  EXPECT_FALSE(metrics("b")[0].contains("raw_val_loss"));
  EXPECT_EQ(metrics("b")[0]["val_loss"], line["raw_val_loss"]);
}

TEST_F(TrainTest, LowersTheRateWhereNothingImproves) {
  auto flat = options("a").sched(ScheduleKind::Plateau).patience_epochs(0).epochs(4);
  flat.lr(1e-6).warmup_lr(1e-6).min_lr(0);
  train(flat);
  const auto lines = metrics("a");
  ASSERT_EQ(lines[1]["val_top1"], lines[2]["val_top1"]);
  EXPECT_EQ(lines[1]["lr"], 1e-6);
  EXPECT_EQ(lines[2]["lr"], 1e-6);
  EXPECT_DOUBLE_EQ(lines[3]["lr"].get<double>(), 1e-7);
}

TEST_F(TrainTest, CoolsDownAfterTheSchedule) {
  auto cooled = options("a").epochs(1).cooldown_epochs(1).min_lr(1e-5);
  EXPECT_EQ(train(cooled.warmup_prefix(true)).epochs, 3);
  EXPECT_EQ(metrics("a")[2]["lr"], 1e-5);
  EXPECT_EQ(train(cooled).outcome, TrainOutcome::AlreadyFinished);
}

TEST_F(TrainTest, ChoosesTheBestModelByTheLossWhereToldTo) {
  const auto result = train(options("a").eval_metric(EvalMetric::Loss));
  const auto lines = metrics("a");
  for (const auto& line : lines) {
    const auto& best = lines[static_cast<std::size_t>(result.best_epoch) - 1];
    EXPECT_LE(best["val_loss"].get<double>(), line["val_loss"].get<double>());
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

TEST_F(TrainTest, NamesAnOptionThatDiffersFromTheRunsOwn) {
  train(options("a").epochs(1));
  EXPECT_EQ(
      message_of([&] { train(options("a").epochs(1).lr(0.5)); }),
      (folder_ / "a") +
          ": the run was begun with lr 0.01, now it is 0.5; choose another output folder, or "
          "start anew (fresh)");
  EXPECT_EQ(train(options("a").epochs(1).lr(0.5).fresh(true)).outcome, TrainOutcome::Finished);
  EXPECT_EQ(metrics("a").size(), 1U);
}

TEST_F(TrainTest, NoticesThatTheDataHasChanged) {
  namespace fs = std::filesystem;
  const auto changed = [&](const std::string& run) {
    return message_of([&] { train(options(run).epochs(1)); });
  };
  const auto beginning = (folder_ / "a") + ": the images to ";
  const auto way_out = "; choose another output folder, or start anew (fresh)";
  const auto unlike = ", but with other names, classes or sizes of files, or in another order";
  const auto train_images = folder_ / "data/train";
  train(options("a").epochs(1));
  fs::rename(train_images + "/class0/0.png", train_images + "/class0/renamed.png");
  EXPECT_EQ(
      changed("a"),
      beginning + "train on have changed since the run was begun: 24 then, 24 now" + unlike +
          way_out);
  fs::rename(train_images + "/class0/renamed.png", train_images + "/class1/0b.png");
  EXPECT_NE(changed("a").find("train on have changed"), std::string::npos) << changed("a");
  fs::rename(train_images + "/class1/0b.png", train_images + "/class0/0.png");
  EXPECT_EQ(changed("a"), "no error");

  fs::resize_file(folder_ / "data/val/class2/1.png", 60);
  EXPECT_EQ(
      changed("a"),
      beginning + "validate have changed since the run was begun: 12 then, 12 now" + unlike +
          way_out);
  draw_class_folders(train_images, 3, 9);
  EXPECT_EQ(
      changed("a"),
      beginning + "train on have changed since the run was begun: 24 then, 27 now" + way_out);
}

TEST_F(TrainTest, NoticesThatPackedImagesHaveChanged) {
  const auto write = [&](const std::string& name, char last) {
    std::string bytes;
    for (int i = 0; i < 6; ++i) {
      bytes += static_cast<char>(i % 2);
      bytes += std::string(3071, static_cast<char>(40 * i)) + last;
    }
    std::ofstream(folder_ / ("cifar/" + name), std::ios::binary) << bytes;
  };
  std::filesystem::create_directory(folder_ / "cifar");
  std::ofstream(folder_ / "cifar/batches.meta.txt") << "dark\nbright\n";
  write("data_batch_1.bin", 'a');
  write("test_batch.bin", 'a');
  const auto cifar = options("a").epochs(1).data(folder_ / "cifar");
  train(cifar);
  EXPECT_EQ(train(cifar).outcome, TrainOutcome::AlreadyFinished);
  write("test_batch.bin", 'b');
  const auto message = message_of([&] { train(cifar); });
  EXPECT_NE(message.find("the images to validate have changed"), std::string::npos) << message;
}

TEST_F(TrainTest, GoesOnWithARunWithoutChecksums) {
  train(options("a").epochs(1));
  const auto path = folder_ / "a/config.json";
  auto config = nlohmann::ordered_json::parse(std::ifstream(path));
  config["data"].erase("train_checksum");
  config["data"].erase("val_checksum");
  std::ofstream(path) << config;
  EXPECT_EQ(train(options("a").epochs(1)).outcome, TrainOutcome::AlreadyFinished);
}

TEST_F(TrainTest, LetsInOneRunAtATime) {
  const RunFolder held(folder_ / "a");
  EXPECT_NE(
      message_of([&] { train(options("a")); }).find("another run is writing"), std::string::npos);
}

TEST_F(TrainTest, StartsFromOtherWeightsWithANewHead) {
  train(options("a").epochs(1));
  const auto weights = folder_ / "a/best.safetensors";
  draw_splits(folder_ / "other", /*classes=*/2, 4, 2);
  auto tuned = options("b").data(folder_ / "other").weights(weights).model("").epochs(1);
  const auto message = message_of([&] { train(tuned); });
  EXPECT_EQ(message.rfind(weights + ": ", 0), 0U) << message;
  EXPECT_NE(message.find("the file's head has 3 classes, the model's 2"), std::string::npos)
      << message;
  EXPECT_EQ(train(tuned.reset_head(true)).outcome, TrainOutcome::Finished);
  EXPECT_EQ(load_model(folder_ / "b/best.safetensors").model->num_classes(), 2);
}

TEST_F(TrainTest, NamesABadImageAndKeepsWhatThereIs) {
  train(options("a").epochs(1));
  const auto bad = folder_ / "data/train/class0/0.png";
  std::ofstream(bad) << "no image";
  EXPECT_EQ(message_of([&] { train(options("b")); }).rfind(bad, 0), 0U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "a/best.safetensors"));
}

TEST_F(TrainTest, StopsWithoutACheckpointWhenALossIsNotFinite) {
  auto wild = options("a").lr(1e30).warmup_epochs(0);
  wild.optimizer().opt(OptimizerKind::Sgd);
  const auto message = message_of([&] { train(wild); });
  EXPECT_NE(message.find("training stopped in epoch 1"), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "a/checkpoints"));
}

TEST_F(TrainTest, NamesTheCheckpointThatDoesNotFitItsModel) {
  train(options("a"));
  std::filesystem::remove(checkpoint_path(folder_ / "a/checkpoints", 3));
  const auto path = checkpoint_path(folder_ / "a/checkpoints", 2);
  auto checkpoint = read_checkpoint(path);
  checkpoint.optimizer.insert("other.exp_avg", torch::zeros(1));
  write_checkpoint(path, checkpoint);
  EXPECT_EQ(
      message_of([&] { train(options("a")); }),
      path + ": optimizer state: 'other.exp_avg' is unknown");
  checkpoint.model.erase(checkpoint.model.keys().front());
  write_checkpoint(path, checkpoint);
  EXPECT_EQ(message_of([&] { train(options("a")); }).rfind(path + ": checkpoint: '", 0), 0U);
}

TEST_F(TrainTest, DoesNotTrainWhereAFolderBlocksACheckpoint) {
  const auto blocked = checkpoint_path(folder_ / "a/checkpoints", 3);
  const auto expected =
      blocked +
      ": is a folder, expected a file that the run may write; move it away, or choose another "
      "output folder";
  train(options("a").epochs(1));
  std::filesystem::create_directories(blocked);
  TrainEvents events;
  events.step = [](const StepReport&) { ADD_FAILURE() << "trained"; };
  EXPECT_EQ(message_of([&] { train(options("a"), events); }), expected);
  EXPECT_EQ(message_of([&] { train(options("a").fresh(true), events); }), expected);
  EXPECT_TRUE(std::filesystem::exists(checkpoint_path(folder_ / "a/checkpoints", 1)));
}

TEST_F(TrainTest, RefusesWhatCannotWork) {
  EXPECT_THROW(train(options("a").epochs(0)), c10::ValueError);
  EXPECT_THROW(train(options("a").model("vit_tny_patch16_224")), UnknownNameError);
  EXPECT_THROW(train(options("a").model("")), Error);
  EXPECT_THROW(train(options("a").data(folder_ / "none")), FileError);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
}

}  // namespace
}  // namespace vitrine
