#include "vitrine/train/checkpoint.h"

#include <torch/nn.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/weights/safetensors.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

Checkpoint make_checkpoint(int64_t epoch) {
  Checkpoint checkpoint;
  checkpoint.model.insert("weight", torch::full({2, 3}, static_cast<double>(epoch)));
  checkpoint.model.insert("norm.num_batches_tracked", torch::scalar_tensor(epoch, torch::kInt64));
  checkpoint.optimizer.insert("weight.exp_avg", torch::rand({2, 3}));
  checkpoint.optimizer.insert("step", torch::scalar_tensor(10 * epoch, torch::kInt64));
  checkpoint.ema.insert("weight", torch::full({2, 3}, 0.5));
  checkpoint.state = {epoch, 10 * epoch, 1, 0.1 + 0.2, "{}", 0.7, PlateauState{0.3, 0.1, 2}};
  checkpoint.state.progress = {5, 40, 1.5, 2.5, 3};
  checkpoint.state.scaler = GradScalerState{24, 7, 4};
  return checkpoint;
}

std::string write_epoch(const TemporaryFolder& folder, int64_t epoch) {
  auto path = checkpoint_path(folder.path(), epoch);
  write_checkpoint(path, make_checkpoint(epoch));
  return path;
}

/// Changes one byte near the end of a file, where tensors are.
void damage(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-5, std::ios::end);
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(-5, std::ios::end);
  file.put(byte);
}

TEST(Checkpoint, ComesBackToTheSameBits) {
  const TemporaryFolder folder;
  const auto path = folder / "epoch-0003.safetensors";
  const auto written = make_checkpoint(3);
  write_checkpoint(path, written);
  const auto read = read_checkpoint(path);
  EXPECT_EQ(read.model.size(), 2U);
  EXPECT_TRUE(torch::equal(read.model["weight"], written.model["weight"]));
  EXPECT_TRUE(torch::equal(read.optimizer["weight.exp_avg"], written.optimizer["weight.exp_avg"]));
  EXPECT_EQ(read.optimizer["step"].item<int64_t>(), 30);
  EXPECT_EQ(read.state.epoch, 3);
  EXPECT_EQ(read.state.step, 30);
  EXPECT_EQ(read.state.best_epoch, 1);
  EXPECT_EQ(read.state.best_top1, 0.1 + 0.2);
  EXPECT_EQ(read.state.run, "{}");
  EXPECT_EQ(read.ema.size(), 1U);
  EXPECT_TRUE(torch::equal(read.ema["weight"], written.ema["weight"]));
  EXPECT_EQ(read.state.best_loss, 0.7);
  EXPECT_EQ(read.state.plateau->lr, 0.3);
  EXPECT_EQ(read.state.plateau->best, 0.1);
  EXPECT_EQ(read.state.plateau->bad_epochs, 2);
  EXPECT_EQ(read.state.progress.updates, 5);
  EXPECT_EQ(read.state.progress.skipped_updates, 3);
  EXPECT_EQ(read.state.scaler->scale, 24);
  EXPECT_EQ(read.state.scaler->growth_tracker, 7);
  EXPECT_EQ(read.state.scaler->skipped_updates, 4);
}

TEST(Checkpoint, KeepsWhatIsNotThereYetOrNotFinite) {
  const TemporaryFolder folder;
  const auto path = folder / "epoch-0001.safetensors";
  auto written = make_checkpoint(1);
  written.state.best_loss = std::numeric_limits<double>::infinity();
  written.state.plateau->best.reset();
  write_checkpoint(path, written);
  const auto read = read_checkpoint(path);
  EXPECT_EQ(read.state.best_loss, written.state.best_loss);
  EXPECT_FALSE(read.state.plateau->best.has_value());
  written.state.plateau.reset();
  write_checkpoint(path, written);
  EXPECT_FALSE(read_checkpoint(path).state.plateau.has_value());
}

TEST(Checkpoint, IsRefusedWhenOneBitHasChanged) {
  const TemporaryFolder folder;
  const auto path = write_epoch(folder, 1);
  damage(path);
  expect_refusal<CheckpointError>(
      [&] { read_checkpoint(path); },
      path + ": ",
      {"the checksum does not fit the tensors; is the disk damaged?"});
}

TEST(Checkpoint, IsToldFromAnyOtherFile) {
  const TemporaryFolder folder;
  StateDict tensors;
  tensors.insert("weight", torch::zeros(2));
  write_safetensors(folder / "model.safetensors", tensors);
  const auto path = folder / "model.safetensors";
  expect_refusal<CheckpointError>(
      [&] { read_checkpoint(path); }, path + ": ", {"is no checkpoint of a run"});
}

TEST(ReadNewestCheckpoint, FallsBackToTheOneBefore) {
  const TemporaryFolder folder;
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& text) { warnings.push_back(text); };
  EXPECT_FALSE(read_newest_checkpoint(folder.path(), warn).has_value());
  EXPECT_FALSE(read_newest_checkpoint(folder / "missing", warn).has_value());
  write_epoch(folder, 9);
  const auto newest = write_epoch(folder, 10);
  std::ofstream(folder / "epoch-0011.safetensors.tmp-1") << "half";
  EXPECT_EQ(read_newest_checkpoint(folder.path(), warn)->state.epoch, 10);
  EXPECT_TRUE(warnings.empty());
  std::filesystem::resize_file(newest, 100);
  EXPECT_EQ(read_newest_checkpoint(folder.path(), warn)->state.epoch, 9);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].rfind(newest, 0), 0U) << warnings[0];
}

TEST(ReadNewestCheckpoint, DoesNotStartAnewWhenAllAreDamaged) {
  const TemporaryFolder folder;
  damage(write_epoch(folder, 1));
  expect_refusal<CheckpointError>(
      [&] { read_newest_checkpoint(folder.path(), {}); },
      folder.path() + ": ",
      {"none of the checkpoints can be read"});
}

TEST(RemoveOtherCheckpoints, KeepsTheLastTwo) {
  const TemporaryFolder folder;
  for (int64_t epoch = 1; epoch <= 4; ++epoch) {
    write_epoch(folder, epoch);
  }
  RunState last;
  last.epoch = 4;
  remove_other_checkpoints(folder.path(), last, 2);
  for (int64_t epoch = 1; epoch <= 4; ++epoch) {
    EXPECT_EQ(std::filesystem::exists(checkpoint_path(folder.path(), epoch)), epoch >= 3);
  }
}

TEST(RemoveOtherCheckpoints, LeavesNoneThatSeemsNewerThanTheOneJustWritten) {
  const TemporaryFolder folder;
  for (int64_t epoch = 1; epoch <= 3; ++epoch) {
    write_epoch(folder, epoch);
  }
  damage(checkpoint_path(folder.path(), 3));
  // Gone on with from epoch 2, after an update of epoch 3.
  RunState state;
  state.epoch = 2;
  state.progress.updates = 1;
  std::filesystem::copy_file(
      checkpoint_path(folder.path(), 2), checkpoint_path(folder.path(), state));
  remove_other_checkpoints(folder.path(), state, /*keep=*/1);
  EXPECT_FALSE(std::filesystem::exists(checkpoint_path(folder.path(), 3)));
  EXPECT_FALSE(std::filesystem::exists(checkpoint_path(folder.path(), 2)));
  EXPECT_TRUE(std::filesystem::exists(checkpoint_path(folder.path(), state)));
}

TEST(RestoreModule, ChangesNothingUnlessAllFits) {
  torch::nn::Linear linear(2, 2);
  torch::nn::Linear other(2, 2);
  StateDict tensors;
  tensors.insert("weight", other->weight);
  const auto before = linear->weight.detach().clone();
  const auto refuse = [&](const std::string& cause) {
    expect_refusal<CheckpointError>(
        [&] { restore_module(*linear, tensors); }, "checkpoint: ", {cause});
  };
  refuse("'bias' is missing");
  tensors.insert("bias", torch::zeros(3));
  refuse("'bias' is of another shape or type than the model's");
  EXPECT_TRUE(torch::equal(linear->weight, before));
  tensors["bias"] = other->bias;
  restore_module(*linear, tensors);
  EXPECT_TRUE(torch::equal(linear->weight, other->weight));
  tensors.insert("extra", torch::zeros(1));
  refuse("has 3 tensors, the model has 2");
}

}  // namespace
}  // namespace vitrine
