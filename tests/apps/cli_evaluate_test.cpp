#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "apps/training.h"

namespace vitrine {
namespace {

TEST(Evaluate, AgreesWithTheRunsOwnValidation) {
  const auto best = finished_run() + "/best.safetensors";
  const auto result = vitrine_program(
      {"evaluate", drawn_splits(), "--weights", best, "--device=cpu", "--format=json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto answer = nlohmann::json::parse(result.out);
  double best_top1 = -1;
  double loss = 0;
  for (const auto& line : metrics_of(finished_run())) {
    if (line["val_top1"].get<double>() > best_top1) {
      best_top1 = line["val_top1"].get<double>();
      loss = line["val_loss"].get<double>();
    }
  }
  EXPECT_EQ(answer["images"], 12);
  EXPECT_EQ(answer["top1"].get<double>(), best_top1);
  EXPECT_NEAR(answer["loss"].get<double>(), loss, 1e-5);
  EXPECT_EQ(answer["classes"].size(), 3U);
  EXPECT_EQ(answer["classes"][1]["label"], "class1");
  int64_t counted = 0;
  for (const auto& row : answer["confusion"]) {
    for (const auto& count : row) {
      counted += count.get<int64_t>();
    }
  }
  EXPECT_EQ(counted, 12);
  EXPECT_EQ(answer["mistakes"].size(), static_cast<std::size_t>(std::lround(12 * (1 - best_top1))));
}

TEST(Evaluate, SetsThoseImagesApartThatTheRunDid) {
  const TemporaryFolder folder;
  const auto data = drawn_splits() + "/train";
  auto words = train_words(folder / "run", 2);
  words[1] = data;
  const auto trained = vitrine_program(joined(words, {"--val-fraction=0.25", "--seed=7"}));
  ASSERT_EQ(trained.status, 0) << trained.err;
  const auto best = folder / "run/best.safetensors";
  const auto judged = [&](const std::vector<std::string>& more) {
    const auto result = vitrine_program(joined(
        {"evaluate", data, "--device=cpu", "--format=json", "--quiet", "--val-fraction=0.25"},
        more));
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  };
  const auto expected = judged({"--weights", best, "--seed=7"});
  EXPECT_EQ(judged({"--weights", best}), expected);
  EXPECT_NE(judged({"--weights", best, "--seed=42"}), expected);
  // A checkpoint and the folder of a run say it by the run's best model.
  const auto last = checkpoint_of(folder / "run", 2);
  EXPECT_EQ(judged({"--weights", last}), judged({"--weights", last, "--seed=7"}));
  EXPECT_EQ(
      judged({"--weights", folder / "run", "--best=1"}),
      judged({"--weights", folder / "run", "--best=1", "--seed=7"}));
  const auto bytes = bytes_of(best);
  EXPECT_NE(bytes.find(R"(\"seed\":\"7\")"), std::string::npos);
  EXPECT_NE(bytes.find(R"(\"val_fraction\":\"0.25\")"), std::string::npos);
}

TEST(Evaluate, SaysWhereTheWeightsTellOfNoOneSeed) {
  const TemporaryFolder folder;
  const auto data = drawn_splits() + "/train";
  const auto trained =
      vitrine_program(joined(train_words(folder / "run", 1), {"--warmup-epochs=0", "--seed=7"}));
  ASSERT_EQ(trained.status, 0) << trained.err;
  const auto result = vitrine_program(
      {"evaluate",
       data,
       "--device=cpu",
       "--val-fraction=0.25",
       "--weights",
       finished_run() + "/best.safetensors",
       "--weights",
       folder / "run/best.safetensors"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("draws by seed 42, since not all --weights"), std::string::npos)
      << result.err;
}

TEST(Evaluate, NamesBrokenImagesAndJudgesByTheOthers) {
  const TemporaryFolder folder;
  std::filesystem::copy(
      drawn_splits() + "/val", folder / "val", std::filesystem::copy_options::recursive);
  const auto bad = folder / "val/class1/0.png";
  std::ofstream(bad) << "<html>";
  const auto best = finished_run() + "/best.safetensors";
  const auto result = vitrine_program(
      {"evaluate", folder / "val", "--weights", best, "--device=cpu", "--format=json"});
  EXPECT_EQ(result.status, 1);
  const auto lines = lines_of(result.err);
  ASSERT_EQ(lines.size(), 1U) << result.err;
  EXPECT_EQ(lines[0].rfind("vitrine: " + bad + ": ", 0), 0U) << lines[0];
  const auto answer = nlohmann::json::parse(result.out);
  EXPECT_EQ(answer["images"], 11);
  EXPECT_EQ(answer["classes"][1]["images"], 3);
}

TEST(Evaluate, PrintsATable) {
  const auto best = finished_run() + "/best.safetensors";
  const auto result =
      vitrine_program({"evaluate", drawn_splits() + "/val", "--weights", best, "--device=cpu"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.rfind("top-1 ", 0), 0U) << result.out;
  EXPECT_NE(result.out.find("class2"), std::string::npos) << result.out;
}

TEST(Evaluate, NamesClassesThatTheModelDoesNotHave) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 4, 1);
  expect_failure(
      {"evaluate", folder.path(), "--weights", finished_run() + "/best.safetensors"},
      1,
      {folder.path(), "unknown to the model: class3"});
}

}  // namespace
}  // namespace vitrine
