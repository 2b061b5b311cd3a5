#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include "vitrine/error.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/run_folder.h"
#include "vitrine/train/training_run.h"

#include "support/drawn_data.h"
#include "support/value_error.h"
#include "train/small_run.h"

namespace vitrine {
namespace {

TEST_F(TrainTest, RefusesWhatCannotWork) {
  EXPECT_THROW(train(options("a").epochs(0)), c10::ValueError);
  EXPECT_THROW(train(options("a").model("vit_tny_patch16_224")), UnknownNameError);
  EXPECT_THROW(train(options("a").model("")), Error);
  EXPECT_THROW(train(options("a").data(folder_ / "none")), FileError);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
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

TEST_F(TrainTest, NamesAnOptionThatDiffersFromTheRunsOwn) {
  train(options("a").epochs(1));
  EXPECT_EQ(
      message_of([&] { train(options("a").epochs(1).lr(0.5)); }),
      (folder_ / "a") +
          ": the run was begun with lr 0.01, now it is 0.5; choose another output folder, or "
          "start anew (--fresh)");
  EXPECT_EQ(train(options("a").epochs(1).lr(0.5).fresh(true)).outcome, TrainOutcome::Finished);
  EXPECT_EQ(metrics("a").size(), 1U);
}

TEST_F(TrainTest, NoticesThatTheDataHasChanged) {
  namespace fs = std::filesystem;
  const auto changed = [&](const std::string& run) {
    return message_of([&] { train(options(run).epochs(1)); });
  };
  const auto beginning = (folder_ / "a") + ": the images to ";
  const auto way_out = "; choose another output folder, or start anew (--fresh)";
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
  for (int number = 1; number <= 5; ++number) {
    write("data_batch_" + std::to_string(number) + ".bin", 'a');
  }
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

TEST_F(TrainTest, DoesNotBeginAnewWhereCheckpointsAreGone) {
  train(options("a"));
  const auto best = read_file(folder_ / "a/best.safetensors");
  std::filesystem::remove_all(folder_ / "a/checkpoints");
  EXPECT_EQ(
      message_of([&] { train(options("a").lr(0.5)); }),
      (folder_ / "a") +
          ": holds a run of 3 epochs, but no checkpoint from which it could go on; choose another "
          "output folder, or start anew (--fresh)");
  EXPECT_EQ(metrics("a").size(), 3U);
  EXPECT_EQ(read_file(folder_ / "a/best.safetensors"), best);
  EXPECT_EQ(train(options("a").fresh(true)).outcome, TrainOutcome::Finished);
}

TEST_F(TrainTest, DoesNotRemoveTheWeightsThatItStartsFrom) {
  train(options("a").epochs(1));
  const auto again = options("a").weights(folder_ / "a/best.safetensors").model("").fresh(true);
  const auto message = message_of([&] { train(again); });
  EXPECT_NE(
      message.find("best.safetensors: is of the run that is to be started anew"), std::string::npos)
      << message;
  EXPECT_EQ(metrics("a").size(), 1U);
}

TEST_F(TrainTest, GoesOnWithoutTheWeightsThatItStartedFrom) {
  train(options("a").epochs(1));
  std::filesystem::copy_file(folder_ / "a/best.safetensors", folder_ / "start.safetensors");
  const auto tuned = options("b").weights(folder_ / "start.safetensors").model("");
  TrainEvents events;
  int questions = 0;
  events.stop = [&] { return ++questions > 6; };
  EXPECT_EQ(train(tuned, events).outcome, TrainOutcome::Stopped);
  std::filesystem::remove(folder_ / "start.safetensors");
  EXPECT_EQ(train(tuned).outcome, TrainOutcome::Finished);
  EXPECT_EQ(train(tuned).outcome, TrainOutcome::AlreadyFinished);
}

TEST_F(TrainTest, RefusesAHeadOfOtherClasses) {
  train(options("a").epochs(1));
  std::filesystem::rename(folder_ / "data/train/class0", folder_ / "data/train/class9");
  std::filesystem::rename(folder_ / "data/val/class0", folder_ / "data/val/class9");
  const auto tuned = options("b").weights(folder_ / "a/best.safetensors").model("").epochs(1);
  EXPECT_EQ(
      message_of([&] { train(tuned); }),
      (folder_ / "a/best.safetensors") +
          ": its head calls class 0 'class0', which is 'class1' here; it takes a new head "
          "(--reset-head), or classes in the same order");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "b"));
  auto reset = tuned;
  EXPECT_EQ(train(reset.reset_head(true)).outcome, TrainOutcome::Finished);
}

TEST_F(TrainTest, NoticesThatTheTeacherHasChanged) {
  train(options("a").epochs(1));
  train(options("other").epochs(1).seed(7));
  auto learning = options("b").epochs(1).teacher(folder_ / "a/best.safetensors");
  learning.distillation().distillation_type(DistillationType::Soft);
  train(learning);
  std::filesystem::create_directory(folder_ / "hub");
  std::filesystem::copy_file(folder_ / "a/best.safetensors", folder_ / "hub/model.safetensors");
  auto hub = learning;
  train(hub.teacher(folder_ / "hub").output(folder_ / "c"));
  EXPECT_EQ(train(hub).outcome, TrainOutcome::AlreadyFinished);
  std::filesystem::copy_file(
      folder_ / "other/best.safetensors",
      folder_ / "a/best.safetensors",
      std::filesystem::copy_options::overwrite_existing);
  const auto message = message_of([&] { train(learning); });
  EXPECT_NE(message.find("the teacher is no longer the file it was"), std::string::npos) << message;
}

TEST_F(TrainTest, RefusesAnOutputAmongClassFolders) {
  for (const auto* place : {"data/train/run", "data/val/class0/run"}) {
    const auto message = message_of([&] { train(options(place)); });
    EXPECT_NE(message.find("lies among the class folders of"), std::string::npos) << message;
    EXPECT_FALSE(std::filesystem::exists(folder_ / place));
  }
  const auto flat = options("data/train/run").data(folder_ / "data/train").val_fraction(0.5);
  EXPECT_NE(message_of([&] { train(flat); }).find("lies among"), std::string::npos);
  EXPECT_EQ(train(options("data/runs/a").epochs(1)).outcome, TrainOutcome::Finished);
  auto hidden = options("data/train/.runs").data(folder_ / "data/train").val_fraction(0.5);
  EXPECT_EQ(train(hidden.epochs(1)).outcome, TrainOutcome::Finished);
}

TEST_F(TrainTest, CountsSkippedImagesAcrossCalls) {
  for (const auto* name : {"class0/0.png", "class1/1.png", "class2/2.png"}) {
    std::ofstream((folder_ / "data/train/") + name, std::ios::trunc) << "no image";
  }
  const auto of = [&](const std::string& run) {
    return options(run).batch_size(1).workers(0).skip_bad_images(true).max_bad_images(2);
  };
  const auto whole = message_of([&] { train(of("a")); });
  EXPECT_NE(whole.find("than the 2 allowed"), std::string::npos) << whole;
  TrainEvents events;
  int questions = 0;
  events.stop = [&] { return ++questions > 1; };  // each call makes an update or two
  std::string message = "no error";
  for (int call = 0; call < 30 && message == "no error"; ++call) {
    questions = 0;
    message = message_of([&] { train(of("b"), events); });
  }
  EXPECT_EQ(message, whole);
  EXPECT_EQ(train(of("b").max_bad_images(3)).outcome, TrainOutcome::Finished);
}

TEST_F(TrainTest, LetsInOneRunAtATime) {
  const RunFolder held(folder_ / "a");
  EXPECT_NE(
      message_of([&] { train(options("a")); }).find("another run is writing"), std::string::npos);
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

TEST_F(TrainTest, KeepsNoModelWhoseWeightsAreNotFinite) {
  // One update, which overflows, and no loss after it that would show it.
  auto wild = options("a").epochs(1).warmup_epochs(0).batch_size(24).lr(1e30);
  wild.optimizer().opt(OptimizerKind::Sgd).weight_decay(1e30);
  EXPECT_NE(message_of([&] { train(wild); }).find("is no longer finite"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a/best.safetensors"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "a/checkpoints"));
  EXPECT_TRUE(metrics("a").empty());
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

}  // namespace
}  // namespace vitrine
