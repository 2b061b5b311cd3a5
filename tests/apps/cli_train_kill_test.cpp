#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
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

/// A run with a recipe that has a state beyond weights and moments, which saves every update.
std::vector<std::string> command(const std::string& run) {
  auto words = train_words(run, kEpochs);
  words.insert(words.begin(), VITRINE_PROGRAM);
  for (const auto* more :
       {"--batch-size=4",
        "--grad-accum-steps=2",
        "--mixup=0.2",
        "--model-ema",
        "--model-ema-warmup",
        "--aa=rand-m9-mstd0.5-inc1",
        "--save-every=1",
        "--keep=4"}) {
    words.emplace_back(more);
  }
  return words;
}

/// How many SIGKILLs there are to be: VITRINE_KILLS, else 20.
int kills_wanted() {
  const auto* text = std::getenv("VITRINE_KILLS");
  return text == nullptr ? 20 : std::stoi(text);
}

/// The name of the newest checkpoint, that of a whole epoch coming after those within it.
std::string newest_checkpoint(const std::string& run) {
  std::string newest;
  std::error_code error;
  std::filesystem::directory_iterator it(run + "/checkpoints", error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    const auto name = it->path().filename().string();
    if (name.find(".tmp-") == std::string::npos) {
      newest = std::max(newest, name);
    }
  }
  return newest;
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

/// How a run is stopped: by SIGKILL at any time since its process began, at any time since its
/// training did, or while it writes a file; or politely.
enum class Stop { KillAnyTime, KillInTraining, KillInSave, Polite };

Stop stop_number(int number) {
  constexpr std::array<Stop, 5> kOrder = {
      Stop::KillInSave, Stop::KillAnyTime, Stop::KillInSave, Stop::KillInTraining, Stop::Polite};
  return kOrder.at(static_cast<std::size_t>(number) % kOrder.size());
}

/// Waits for the time of a stop, drawn from `random`; false when the process ended first.
bool wait_for_time(Process& process, Stop stop, const std::string& run, std::mt19937& random) {
  const milliseconds delay(random() % 1500);
  const auto trains = [&] {
    return process.err().find(" images to train on") != std::string::npos;
  };
  if (stop != Stop::KillAnyTime && !wait_for(process, trains)) {
    return false;
  }
  const auto instant = std::chrono::steady_clock::now() + delay;
  // Named by the process, since one that was killed may have left the like.
  const auto mark = ".tmp-" + std::to_string(process.id());
  return wait_for(process, [&] {
    return std::chrono::steady_clock::now() >= instant &&
           (stop != Stop::KillInSave || has_file_of(run, mark));
  });
}

TEST(KilledRun, AlwaysGoesOnAndEndsWithTheSameBits) {
  ASSERT_FALSE(bytes_of(checkpoint_of(whole_run(), kEpochs)).empty());
  const TemporaryFolder folder;
  std::mt19937 random(20240607);  // a fixed seed; the instants still differ from run to run
  const int wanted = kills_wanted();
  int stops = 0;
  int kills = 0;
  int inside_saves = 0;
  int polite = 0;
  int run_number = 0;
  std::string run = folder / "0";
  std::string newest;
  const auto enough = [&] {
    return kills >= wanted && inside_saves >= wanted * 2 / 5 && polite >= wanted / 5;
  };
  while (!enough() && stops < 6 * wanted) {
    Process process(command(run), one_thread());
    const auto stop = stop_number(stops);
    const bool reached = wait_for_time(process, stop, run, random);
    constexpr std::array<int, 3> kPolite = {SIGTERM, SIGINT, SIGUSR1};
    const int signal = stop == Stop::Polite ? kPolite.at(stops / 5 % 3) : SIGKILL;
    if (reached) {
      process.send(signal);
    }
    const auto result = process.wait();
    if (result.signal == SIGKILL || result.status == 128 + signal) {
      ++stops;
      (result.signal == SIGKILL ? kills : polite) += 1;
      inside_saves += has_file_of(run, ".tmp-" + std::to_string(process.id())) ? 1 : 0;
      EXPECT_TRUE(stop != Stop::Polite || !has_half_written(run));
      // Nothing that was kept is lost, and nothing unreadable is left.
      EXPECT_EQ(result.err.find("warning"), std::string::npos) << result.err;
      EXPECT_GE(newest_checkpoint(run), newest);
      newest = newest_checkpoint(run);
      continue;
    }
    ASSERT_EQ(result.status, 0) << "ended by itself, or by signal " << result.signal << ": "
                                << result.err;
    expect_same_end(run);
    run = folder / std::to_string(++run_number);
    newest.clear();
  }
  const auto result = run_process(command(run), one_thread());
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err.find("warning"), std::string::npos) << result.err;
  expect_same_end(run);
  EXPECT_TRUE(enough());
  std::cout << kills << " kills, " << inside_saves << " of them inside a save, and " << polite
            << " polite signals, over " << run_number + 1 << " runs\n";
}

/// Starts a run and waits until two epochs are done.
void start(Process& process, const std::string& run) {
  // Not by a checkpoint, which soon makes room for newer ones.
  ASSERT_TRUE(wait_for(process, [&] {
    return lines_of(bytes_of(run + "/metrics.jsonl")).size() >= 2;
  })) << process.err();
}

TEST(InterruptedRun, KeepsWhatIsDoneAndLeavesWith128PlusTheSignal) {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    const TemporaryFolder folder;
    const auto run = folder / "run";
    Process process(command(run), one_thread());
    start(process, run);
    process.send(signal);
    const auto result = process.wait();
    EXPECT_EQ(result.status, 128 + signal) << result.err;
    EXPECT_NE(result.err.find("are kept, and 'vitrine train --resume"), std::string::npos)
        << result.err;
    EXPECT_FALSE(has_half_written(run));
    EXPECT_EQ(run_process(command(run), one_thread()).status, 0);
    expect_same_end(run);
  }
}

TEST(InterruptedRun, GoesOnToTheSameBitsOnAGpu) {
  const TemporaryFolder folder;
  const auto words = [&](const std::string& run) {
    return joined(command(run), {"--device=cuda", "--deterministic"});
  };
  const auto whole = run_process(words(folder / "whole"));
  if (whole.status == 1 && whole.err.find("cannot be used") != std::string::npos) {
    GTEST_SKIP() << whole.err;
  }
  ASSERT_EQ(whole.status, 0) << whole.err;
  const auto run = folder / "run";
  Process process(words(run));
  start(process, run);
  process.send(SIGTERM);
  const auto stopped = process.wait();
  EXPECT_EQ(stopped.status, 128 + SIGTERM) << stopped.err;
  EXPECT_EQ(run_process(words(run)).status, 0);
  EXPECT_EQ(
      bytes_of(checkpoint_of(run, kEpochs)), bytes_of(checkpoint_of(folder / "whole", kEpochs)));
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
  EXPECT_NE(last.find("epochs completed before"), std::string::npos) << result.err;
  EXPECT_EQ(last.find(".tmp-"), std::string::npos) << result.err;
  EXPECT_EQ(bytes_of(checkpoint_of(run, epochs)), before);
  EXPECT_FALSE(has_half_written(run));
  EXPECT_EQ(run_process(command(run), one_thread()).status, 0);
  expect_same_end(run);
}

}  // namespace
}  // namespace vitrine
