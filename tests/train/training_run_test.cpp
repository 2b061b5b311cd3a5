#include "vitrine/train/training_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "vitrine/file.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/weights/model_file.h"

#include "support/drawn_data.h"
#include "train/small_run.h"

namespace vitrine {
namespace {

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

}  // namespace
}  // namespace vitrine
