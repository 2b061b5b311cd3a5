#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/training_run.h"

#include "support/drawn_data.h"
#include "support/temporary_folder.h"

namespace vitrine {

/// Runs of a small model on images drawn for it, each in a folder of its own.
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

}  // namespace vitrine
