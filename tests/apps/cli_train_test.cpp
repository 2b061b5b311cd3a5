#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "apps/training.h"

namespace vitrine {
namespace {

TEST(Train, FillsARunFolderAndTellsTheBestModel) {
  const TemporaryFolder folder;
  const auto result = vitrine_program(train_words(folder / "run", 2));
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.rfind((folder / "run") + "/best.safetensors: top-1 ", 0), 0U) << result.out;
  for (const auto* file :
       {"config.json",
        "metrics.jsonl",
        "metrics.csv",
        "report.html",
        "best.safetensors",
        "checkpoints/epoch-0002.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / ("run/" + std::string(file)))) << file;
  }
  EXPECT_NE(result.err.find("epoch 2/2: train loss"), std::string::npos) << result.err;
}

TEST(Train, SaysNothingWhenQuiet) {
  const TemporaryFolder folder;
  const auto result = vitrine_program(joined(train_words(folder / "run", 1), {"--quiet"}));
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
}

TEST(Train, LeavesAFinishedRunAlone) {
  const auto before = bytes_of(finished_run() + "/metrics.jsonl");
  const auto result = vitrine_program(train_words(finished_run(), 3));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("this run is finished already"), std::string::npos) << result.err;
  EXPECT_EQ(bytes_of(finished_run() + "/metrics.jsonl"), before);
}

TEST(Train, ResumesARunByItsOwnOptions) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  std::filesystem::copy(finished_run(), run, std::filesystem::copy_options::recursive);
  std::filesystem::remove(checkpoint_of(run, 3));
  const auto result = vitrine_program({"train", "--resume", run, "--device=cpu"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(bytes_of(checkpoint_of(run, 3)), bytes_of(checkpoint_of(finished_run(), 3)));
}

TEST(Train, ResumesARunByWhatItKeeps) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto count = [&] {
    std::filesystem::directory_iterator files(run + "/checkpoints");
    return std::distance(begin(files), end(files));
  };
  const auto words = joined(train_words(run, 3), {"--keep=20", "--save-every=1"});
  ASSERT_EQ(vitrine_program(words).status, 0);
  const auto all = count();
  ASSERT_GT(all, 3);
  std::filesystem::remove(checkpoint_of(run, 3));
  ASSERT_EQ(vitrine_program({"train", "--resume", run, "--device=cpu"}).status, 0);
  EXPECT_EQ(count(), all);
  std::filesystem::remove(checkpoint_of(run, 3));
  ASSERT_EQ(vitrine_program({"train", "--resume", run, "--device=cpu", "--keep=2"}).status, 0);
  EXPECT_EQ(count(), 2);
}

TEST(Train, RepeatsARunFromItsConfig) {
  const TemporaryFolder folder;
  const auto config = finished_run() + "/config.json";
  const auto result =
      vitrine_program({"train", "--config", config, "--output", folder / "again", "--device=cpu"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(
      bytes_of(checkpoint_of(folder / "again", 3)), bytes_of(checkpoint_of(finished_run(), 3)));
}

TEST(Train, ResumesFromAnotherFolderAndByAnotherPathOfItsData) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  std::filesystem::create_directory_symlink(drawn_splits(), folder / "same");
  std::filesystem::copy(finished_run(), run, std::filesystem::copy_options::recursive);
  std::filesystem::remove(checkpoint_of(run, 3));
  ProcessOptions elsewhere;
  elsewhere.directory = folder.path();
  const auto result =
      vitrine_program({"train", "same", "--resume", "run", "--device=cpu", "--quiet"}, elsewhere);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  EXPECT_NE(result.err.find("the run was begun with data"), std::string::npos) << result.err;
  EXPECT_EQ(bytes_of(checkpoint_of(run, 3)), bytes_of(checkpoint_of(finished_run(), 3)));
}

TEST(Train, TakesNoOtherFolderNorOptionsWhereItResumes) {
  for (const auto* option : {"--output=other", "--config=config.json", "--fresh"}) {
    expect_failure({"train", "--resume", finished_run(), option}, 2, {"--resume"});
  }
}

TEST(Train, LeavesAFolderOfSomethingElseAlone) {
  const TemporaryFolder folder;
  const std::string theirs = "{\"model_type\": \"vit\"}";
  std::ofstream(folder / "config.json") << theirs;
  auto words = train_words(folder.path(), 2);
  expect_failure(words, 1, {"config.json", "is not what a run writes"});
  words.emplace_back("--fresh");
  expect_failure(words, 1, {"config.json", "is not what a run writes"});
  EXPECT_EQ(bytes_of(folder / "config.json"), theirs);
}

TEST(Train, TunesAndEvaluatesAModelAtAnotherImageSize) {
  const TemporaryFolder folder;
  const std::string swin = "vitrine_swin_patch2_window4_32";
  const std::vector<std::string> sized{
      "train",
      drawn_splits(),
      "--device=cpu",
      "--epochs=1",
      "--batch-size=8",
      "--workers=1",
      "--weights=" + (folder / "first/best.safetensors"),
      "--output=" + (folder / "second"),
      "--image-size=24x16"};
  const auto first = vitrine_program(
      {"train",
       drawn_splits(),
       "--device=cpu",
       "--epochs=1",
       "--batch-size=8",
       "--workers=1",
       "--model=" + swin,
       "--model-kwargs=embed_dim=8,depths=1+1,num_heads=1+1",
       "--image-size=16",
       "--output=" + (folder / "first")});
  ASSERT_EQ(first.status, 0) << first.err;
  const auto wider = vitrine_program(joined(sized, {"--model-kwargs=window_size=6"}));
  ASSERT_EQ(wider.status, 0) << wider.err;
  const auto best = folder / "second/best.safetensors";
  const auto evaluated = [&](const std::string& size) {
    return vitrine_program(
        {"evaluate", drawn_splits(), "--weights", best, "--device=cpu", "--image-size", size});
  };
  EXPECT_EQ(evaluated("24x16").status, 0);
  EXPECT_EQ(evaluated("32").status, 0);
  expect_failure(
      {"evaluate", drawn_splits(), "--weights", best, "--device=cpu", "--image-size=33"},
      1,
      {best, "no multiple of the patch, 2; the nearest: 32x32 and 34x34"});
  expect_failure(
      {"train",
       drawn_splits(),
       "--weights=" + best,
       "--image-size=9",
       "--output=" + (folder / "third")},
      1,
      {best, "the nearest: 8x8 and 10x10"});
  EXPECT_FALSE(std::filesystem::exists(folder / "third"));
}

TEST(Train, TunesAModelForOtherClasses) {
  const TemporaryFolder folder;
  draw_splits(folder / "data", /*classes=*/2, 4, 2);
  const std::vector<std::string> words = {
      "train",
      folder / "data",
      "--weights",
      finished_run() + "/best.safetensors",
      "--epochs=1",
      "--batch-size=4",
      "--device=cpu",
      "--quiet",
      "--output",
      folder / "run"};
  EXPECT_EQ(vitrine_program(words).status, 1);
  EXPECT_EQ(vitrine_program(joined(words, {"--reset-head"})).status, 0);
}

TEST(Train, GivesTheSameFilesWithOptionsThatChangeNoBitOnTheCpu) {
  const TemporaryFolder folder;
  ASSERT_EQ(vitrine_program(train_words(folder / "run", 1)).status, 0);
  const auto words =
      joined(train_words(folder / "less", 1), {"--grad-checkpointing", "--deterministic"});
  ASSERT_EQ(vitrine_program(words).status, 0);
  EXPECT_EQ(
      bytes_of(checkpoint_of(folder / "less", 1)), bytes_of(checkpoint_of(folder / "run", 1)));
  const auto options = [&](const char* run) {
    return nlohmann::json::parse(bytes_of(folder / run + "/config.json"))["options"];
  };
  EXPECT_EQ(options("less"), options("run"));
}

TEST(Train, DoesNotShareARunFolder) {
  const TemporaryFolder folder;
  auto words = train_words(folder / "run", 1000);
  words.insert(words.begin(), VITRINE_PROGRAM);
  Process first(words);
  while (!std::filesystem::exists(checkpoint_of(folder / "run", 1))) {
    ASSERT_TRUE(first.running()) << first.err();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  expect_failure(train_words(folder / "run", 1000), 1, {"another run is writing"});
}

}  // namespace
}  // namespace vitrine
