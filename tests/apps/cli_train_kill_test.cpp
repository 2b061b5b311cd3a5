#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include "apps/training.h"

namespace vitrine {
namespace {

using std::chrono::milliseconds;

constexpr int kEpochs = 40;

ProcessOptions one_thread() {
  ProcessOptions options;
  options.environment.emplace("OMP_NUM_THREADS", "1");
  return options;
}

std::vector<std::string> command(const std::string& run, int epochs = kEpochs) {
  auto words = train_words(run, epochs);
  words.insert(words.begin(), VITRINE_PROGRAM);
  return words;
}

/// A run never stopped.
const std::string& whole_run() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    const auto result = run_process(command(folder / "run"), one_thread());
    EXPECT_EQ(result.status, 0) << result.err;
    return folder / "run";
  }();
  return path;
}

void expect_same_end(const std::string& run) {
  EXPECT_EQ(
      bytes_of(checkpoint_of(run, kEpochs)) == bytes_of(checkpoint_of(whole_run(), kEpochs)), true)
      << "the last weights differ";
  EXPECT_EQ(
      bytes_of(run + "/best.safetensors") == bytes_of(whole_run() + "/best.safetensors"), true)
      << "the best weights differ";
  EXPECT_EQ(metrics_of(run), metrics_of(whole_run()));
  EXPECT_EQ(metrics_of(run).size(), static_cast<std::size_t>(kEpochs));
}

/// Waits until `condition` holds; false when the process ended first.
bool wait_for(Process& process, const std::function<bool()>& condition) {
  while (!condition()) {
    if (!process.running()) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

TEST(KilledRun, AlwaysGoesOnAndEndsWithTheSameBits) {
  ASSERT_FALSE(bytes_of(checkpoint_of(whole_run(), kEpochs)).empty());
  const TemporaryFolder folder;
  std::mt19937 random(20240607);  // a fixed seed; the instants still differ from run to run
  int kills = 0;
  int inside_saves = 0;
  int run_number = 0;
  std::string run = folder / "0";
  while (kills < 20) {
    Process process(command(run), one_thread());
    const auto instant = std::chrono::steady_clock::now() + milliseconds(random() % 1500);
    const bool in_save = kills % 2 == 1;
    const bool reached = wait_for(process, [&] {
      return std::chrono::steady_clock::now() >= instant && (!in_save || has_half_written(run));
    });
    if (reached && process.running()) {
      process.send(SIGKILL);
      process.wait();
      ++kills;
      inside_saves += has_half_written(run) ? 1 : 0;
      continue;
    }
    const auto result = process.wait();
    ASSERT_EQ(result.status, 0) << result.err;
    expect_same_end(run);
    run = folder / std::to_string(++run_number);
  }
  const auto result = run_process(command(run), one_thread());
  ASSERT_EQ(result.status, 0) << result.err;
  expect_same_end(run);
  EXPECT_GE(inside_saves, 1);
  RecordProperty("kills_inside_a_save", inside_saves);
}

/// Starts a run and waits until two epochs are done.
void start(Process& process, const std::string& run) {
  ASSERT_TRUE(wait_for(process, [&] { return std::filesystem::exists(checkpoint_of(run, 2)); }))
      << process.err();
}

TEST(InterruptedRun, KeepsTheLastEpochAndLeavesWith128PlusTheSignal) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const TemporaryFolder folder;
    const auto run = folder / "run";
    Process process(command(run), one_thread());
    start(process, run);
    process.send(signal);
    const auto result = process.wait();
    EXPECT_EQ(result.status, 128 + signal) << result.err;
    EXPECT_NE(result.err.find("completed epochs are kept"), std::string::npos) << result.err;
    EXPECT_FALSE(has_half_written(run));
    EXPECT_EQ(run_process(command(run), one_thread()).status, 0);
    expect_same_end(run);
  }
}

TEST(InterruptedRun, EndsAtOnceWithASecondSignal) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  Process process(command(run), one_thread());
  start(process, run);
  process.send(SIGINT);
  process.send(SIGINT);
  EXPECT_EQ(process.wait().status, 130);
}

TEST(FullDisk, KeepsTheLastGoodCheckpointAndSaysSo) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  {
    Process process(command(run), one_thread());
    start(process, run);
    process.send(SIGINT);
    process.wait();
  }
  const auto epochs = static_cast<int>(metrics_of(run).size());
  const auto before = bytes_of(checkpoint_of(run, epochs));
  ASSERT_FALSE(before.empty());
  auto limited = one_thread();
  limited.largest_file = 8192;
  const auto result = run_process(command(run), limited);
  EXPECT_EQ(result.status, 1);
  const auto last = lines_of(result.err).back();
  EXPECT_NE(last.find("cannot write: File too large"), std::string::npos) << result.err;
  EXPECT_NE(last.find(run), std::string::npos) << result.err;
  EXPECT_NE(last.find("epochs completed before are kept"), std::string::npos) << result.err;
  EXPECT_EQ(last.find(".tmp-"), std::string::npos) << result.err;
  EXPECT_EQ(bytes_of(checkpoint_of(run, epochs)), before);
  EXPECT_FALSE(has_half_written(run));
  EXPECT_EQ(run_process(command(run), one_thread()).status, 0);
  expect_same_end(run);
}

}  // namespace
}  // namespace vitrine
