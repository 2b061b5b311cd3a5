#include "vitrine/train/run_checkpoints.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/training_run.h"

#include "support/drawn_data.h"
#include "support/temporary_folder.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

/// A run of four epochs, with averaged weights, that keeps the checkpoints of three.
class RunCheckpointsTest : public ::testing::Test {
 protected:
  RunCheckpointsTest() {
    draw_splits(folder_ / "data", /*classes=*/3, /*train_count=*/8, /*val_count=*/4);
    auto options = TrainOptions()
                       .data(folder_ / "data")
                       .output(run_)
                       .model("vitrine_vit_patch4_32")
                       .model_options(ModelOptions()
                                          .set("depth", int64_t{1})
                                          .set("embed_dim", int64_t{8})
                                          .set("num_heads", int64_t{1}))
                       .preprocess(PreprocessOptions().height(8).width(8).crop_pct(1))
                       .eval_metric(EvalMetric::Loss)
                       .epochs(4)
                       .warmup_epochs(0)
                       .batch_size(8)
                       .keep(3);
    options.model_ema().model_ema(true);
    train(options);
  }

  std::string checkpoint(int64_t epoch) const {
    return checkpoint_path(run_ + "/checkpoints", epoch);
  }

  TemporaryFolder folder_;
  std::string run_ = folder_ / "run";
};

TEST_F(RunCheckpointsTest, TellsTheRunOfACheckpointByItsPlace) {
  EXPECT_EQ(run_of_checkpoint(checkpoint(4)), run_);
  EXPECT_EQ(run_of_checkpoint(run_ + "/best.safetensors"), std::nullopt);
  EXPECT_EQ(run_of_checkpoint(run_ + "/checkpoints/other.safetensors"), std::nullopt);
  std::filesystem::copy(checkpoint(4), folder_ / "epoch-0004.safetensors");
  EXPECT_EQ(run_of_checkpoint(folder_ / "epoch-0004.safetensors"), std::nullopt);
}

TEST_F(RunCheckpointsTest, OrdersWhatIsKeptByTheRunsOwnMetric) {
  std::vector<std::pair<double, int64_t>> losses;
  std::ifstream file(run_ + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json["epoch"] > 1) {
      losses.emplace_back(json["val_loss"], json["epoch"]);
    }
  }
  std::sort(losses.begin(), losses.end());
  ASSERT_EQ(losses.size(), 3U);
  for (std::size_t count = 1; count <= 3; ++count) {
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < count; ++i) {
      expected.push_back(checkpoint(losses[i].second));
    }
    EXPECT_EQ(best_checkpoints(run_, static_cast<int64_t>(count)), expected);
  }
  EXPECT_VALUE_ERROR(best_checkpoints(run_, 0), "count has to be at least 1");
  EXPECT_THROW(best_checkpoints(run_, 4), Error);
  EXPECT_THROW(best_checkpoints(folder_ / "data", 1), FileError);
}

TEST_F(RunCheckpointsTest, PutsTheAveragedWeightsIntoTheBestModel) {
  auto loaded = load_model(run_ + "/best.safetensors");
  load_checkpoint_weights(loaded, checkpoint(2));
  const auto kept = read_checkpoint(checkpoint(2));
  for (const auto& item : state_dict(*loaded.model)) {
    EXPECT_TRUE(torch::equal(item.value(), kept.ema[item.key()])) << item.key();
  }
  EXPECT_EQ(loaded.card.provenance.at("epoch"), "2");
  EXPECT_EQ(loaded.card.provenance.count("val_top1"), 0U);
}

}  // namespace
}  // namespace vitrine
