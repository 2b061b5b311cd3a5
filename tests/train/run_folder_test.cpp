#include "vitrine/train/run_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(RunFolder, LetsInOneRunAtATime) {
  const TemporaryFolder folder;
  const auto path = folder / "runs/one";
  {
    const RunFolder first(path);
    try {
      const RunFolder second(path);
      FAIL() << "two runs share a folder";
    } catch (const FileError& error) {
      EXPECT_EQ(error.what(), path + ": another run is writing into this folder");
    }
  }
  const RunFolder again(path);
}

TEST(RunFolder, NamesAFolderThatCannotBeMade) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  expect_refusal(
      [&] { RunFolder{folder / "file"}; },
      folder / "file: ",
      {"cannot make the folder: Not a directory"});
}

TEST(RunFolder, NamesAFolderInThePlaceOfOneOfItsFiles) {
  for (const auto* name :
       {"checkpoints/epoch-0003.safetensors",
        "checkpoints/epoch-0003-update-000007.safetensors",
        "best.safetensors",
        "config.json",
        "metrics.jsonl",
        "metrics.csv",
        "report.html"}) {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / name);
    expect_refusal(
        [&] { RunFolder{folder.path()}; },
        folder / name + ": ",
        {"is a folder, expected a file that the run may write; move it away"});
    EXPECT_TRUE(std::filesystem::exists(folder / name));
  }
}

TEST(RunFolder, KeepsTheMetricsOfCompletedEpochs) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  run.truncate_metrics(0);
  EXPECT_EQ(text_of(run.metrics_path()), "");
  run.append_metrics(R"({"epoch":1})");
  run.append_metrics(R"({"epoch":2})");
  run.append_metrics(R"({"epoch":3})");
  run.truncate_metrics(3);
  EXPECT_EQ(text_of(run.metrics_path()), "{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":3}\n");
  run.truncate_metrics(2);
  EXPECT_EQ(text_of(run.metrics_path()), "{\"epoch\":1}\n{\"epoch\":2}\n");
}

TEST(RunFolder, DropsALineThatWasCutShort) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  std::ofstream(run.metrics_path()) << "{\"epoch\":1}\n{\"epoch\":2,\"lo";
  run.truncate_metrics(2);
  EXPECT_EQ(text_of(run.metrics_path()), "{\"epoch\":1}\n");
}

TEST(RunFolder, RemovesWhatAKilledRunLeftHalfWritten) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "run/checkpoints");
  const std::vector<std::string> names = {
      "checkpoints/epoch-0001.safetensors.tmp-123",
      "metrics.csv.tmp-123",
      "events.out.tfevents.1700000000.vitrine.tmp-123",
      "report.html.tmp-123"};
  for (const auto& name : names) {
    std::ofstream(folder / ("run/" + name)) << "half";
  }
  const RunFolder run(folder / "run");
  for (const auto& name : names) {
    EXPECT_FALSE(std::filesystem::exists(folder / ("run/" + name))) << name;
  }
}

TEST(RunFolder, ClearsOnlyWhatARunWrote) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  run.write_config("{}");
  run.append_metrics("{}");
  std::ofstream(run.best_path()) << "x";
  std::ofstream(run.best_evaluation_path()) << "x";
  std::ofstream(run.report_path()) << "x";
  std::ofstream(run.checkpoints_path() + "/epoch-0001.safetensors") << "x";
  std::ofstream(folder / "run/notes.txt") << "mine";
  run.clear();
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "run")) {
    left.push_back(entry.path().filename().string());
  }
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<std::string>{".lock", "checkpoints", "notes.txt"}));
  EXPECT_FALSE(run.read_config().has_value());
  EXPECT_TRUE(std::filesystem::is_empty(run.checkpoints_path()));
  EXPECT_EQ(text_of(folder / "run/notes.txt"), "mine");
}

TEST(RunFolder, DoesNotTakeOverFilesWithoutAConfig) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  EXPECT_FALSE(run.read_config().has_value());
  std::ofstream(run.best_path()) << "somebody's";
  expect_refusal(
      [&] { run.read_config(); },
      folder / "run: ",
      {"holds best.safetensors, which a run would write, but no config.json of a run"});
  const std::string config = R"({"options": {}, "data": {}, "environment": {}})";
  run.write_config(config);
  EXPECT_EQ(run.read_config(), config);
}

TEST(RunFolder, TakesNoConfigOfSomethingElseForARuns) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  for (const auto* text : {"{\"model_type\": \"vit\"}", "[]", "", "{\"options\": 1}"}) {
    run.write_config(text);
    expect_refusal(
        [&] { run.read_config(); },
        run.config_path() + ": ",
        {"is not what a run writes; choose another output folder"});
  }
}

TEST(RunFolder, LeavesFilesAloneThatOnlyLookHalfWritten) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "run/cache.tmp-dir");
  std::filesystem::create_directories(folder / "run/config.json.tmp-2");
  const std::vector<std::string> names = {
      "notes.tmp-1", "config.json.tmp-x", "a.tmp-", "config.json.tmp-3"};
  for (const auto& name : names) {
    std::ofstream(folder / ("run/" + name)) << "x";
  }
  const RunFolder run(folder / "run");
  EXPECT_TRUE(std::filesystem::exists(folder / "run/cache.tmp-dir"));
  EXPECT_TRUE(std::filesystem::exists(folder / "run/config.json.tmp-2")) << "a folder";
  for (const auto& name : names) {
    EXPECT_EQ(std::filesystem::exists(folder / ("run/" + name)), name != names.back()) << name;
  }
}

TEST(RunFolder, LeavesAFolderWithoutAConfigAsItWas) {
  const TemporaryFolder folder;
  { const RunFolder run(folder / "new"); }
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
  std::filesystem::create_directory(folder / "empty");
  { const RunFolder run(folder / "empty"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder / "empty"));
  std::filesystem::create_directories(folder / "theirs/checkpoints");
  std::ofstream(folder / "theirs/checkpoints/notes.txt") << "mine";
  { const RunFolder run(folder / "theirs"); }
  EXPECT_EQ(text_of(folder / "theirs/checkpoints/notes.txt"), "mine");
  {
    RunFolder run(folder / "run");
    run.write_config("{}");
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "run/checkpoints"));
}

TEST(RunFolder, GoesOnWithMetricsOfManyEpochs) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  constexpr int64_t kEpochs = 70'000;
  std::string text;
  for (int64_t epoch = 1; epoch <= kEpochs; ++epoch) {
    text +=
        "{\"epoch\":" + std::to_string(epoch) + ",\"note\":\"" + std::string(240, 'x') + "\"}\n";
  }
  ASSERT_GT(text.size(), std::size_t{16} << 20);
  std::ofstream(run.metrics_path()) << text;
  EXPECT_EQ(run.truncate_metrics(kEpochs), kEpochs);
}

TEST(RunFolder, KeepsTheGoodLinesAroundABadOne) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  std::ofstream(run.metrics_path()) << "{\"epoch\":1}\ngarbage\n{\"epoch\":2}\n{\"epoch\":3}\n";
  EXPECT_EQ(run.truncate_metrics(2), 2);
  EXPECT_EQ(text_of(run.metrics_path()), "{\"epoch\":1}\n{\"epoch\":2}\n");
}

}  // namespace
}  // namespace vitrine
