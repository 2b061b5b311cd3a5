#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "apps/training.h"

namespace vitrine {
namespace {

TEST(Train, AnswersWrongUsageInOneLine) {
  const TemporaryFolder folder;
  const auto& data = drawn_splits();
  const std::string model = "--model=vitrine_vit_patch4_32";
  const auto output = "--output=" + (folder / "run");
  expect_failure({"train", model}, 2, {"DATA"});
  expect_failure({"train", data, output}, 2, {"--model"});
  expect_failure({"train", data, "--model=vit_tny_patch16_224"}, 2, {"vit_tiny_patch16_224"});
  expect_failure({"train", data, model, "--batch-size=-1"}, 2, {"--batch-size", "-1"});
  expect_failure({"train", data, model, "--epochs=0"}, 2, {"--epochs", "0"});
  expect_failure({"train", data, model, "--lr=nan"}, 2, {"--lr", "nan"});
  expect_failure({"train", data, model, "--scale=0.5"}, 2, {"--scale"});
  expect_failure({"train", data, model, "--scale=0.9,0.5", output}, 2, {"scale"});
  expect_failure({"train", data, model, "--opt=adamx"}, 2, {"--opt", "adamw"});
  expect_failure({"train", data, model, "--wieght-decay=1"}, 2, {"--weight-decay"});
  expect_failure(
      {"train", data, model, "--aa=rand-m9-mst0.5"}, 2, {"--aa", "in place of 'mst0.5'", "mstd"});
  expect_failure({"train", data, model, "--color-jitter=0.1,0.2"}, 2, {"--color-jitter", "three"});
  expect_failure({"train", data, model, "--remode=pixels"}, 2, {"--remode", "pixel"});
  expect_failure({"train", data, model, "--aug-repeats=0.5", output}, 2, {"aug_repeats", "0.5"});
}

TEST(Train, AnswersWrongDataInOneLine) {
  const TemporaryFolder folder;
  const std::string model = "--model=vitrine_vit_patch4_32";
  const auto output = "--output=" + (folder / "run");
  const auto data = folder / "data";
  expect_failure({"train", data, model, output}, 1, {data, "no such folder"});
  std::filesystem::create_directories(data + "/train");
  std::filesystem::create_directories(data + "/val");
  expect_failure({"train", data, model, output}, 1, {data, "no class folder"});
  draw_class_folders(data + "/train", 1, 2);
  expect_failure({"train", data, model, output}, 1, {"one class only", "class0"});
  draw_class_folders(data + "/train", 2, 2);
  draw_class_folders(data + "/val", 3, 2);
  expect_failure({"train", data, model, output}, 1, {"only in val/: class2"});
  std::filesystem::remove_all(data + "/val/class2");
  std::filesystem::remove_all(data + "/val/class1");
  std::filesystem::create_directories(data + "/val/class1");
  expect_failure({"train", data, model, output}, 1, {"class 'class1' has no image"});
  draw_class_folders(data + "/val", 2, 2);
  const auto bad = data + "/train/class1/0.png";
  std::ofstream(bad) << "<html>";
  const auto result =
      vitrine_program({"train", data, model, output, "--device=cpu", "--workers=2"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find(bad), std::string::npos) << result.err;
}

TEST(Train, BeginsNoRunAmongTheClassFoldersItIsStartedIn) {
  ProcessOptions inside;
  inside.directory = drawn_splits() + "/train";
  const auto result = run_process(
      {VITRINE_PROGRAM,
       "train",
       ".",
       "--model=vitrine_vit_patch4_32",
       "--val-fraction=0.2",
       "--device=cpu"},
      inside);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("lies among the class folders of"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(inside.directory + "/runs"));
}

TEST(Train, NamesTheConfigFileThatIsWrong) {
  const TemporaryFolder folder;
  const auto config = folder / "c.json";
  const auto data = R"({"options": {"data": ")" + drawn_splits() + R"(", )";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "expected a JSON object"},
      {"{}", "data has to name a folder"},
      {data + R"("epochss": 1}})", "the nearest: epochs"},
      {data + R"("epochs": 2.5}})", "got 2.5, expected a whole number"},
      {data + R"("epochs": 1e30}})", "expected a whole number"},
      {data + R"("seed": -1}})", "got -1, expected a whole number of at least 0"},
      {data + R"("lr": true}})", "got true, expected a number"},
      {data + R"("opt": "lion"}})", "there are: adamw, adam, sgd, lamb"},
      {data + R"("sched": "step", "cooldown_epochs": 1}})", "cooldown_epochs needs a schedule"},
      {data + R"("model": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}}",
       "65 objects and lists within each other"}};
  for (const auto& [text, message] : cases) {
    std::ofstream(config) << text;
    expect_failure({"train", "--config", config, "--output", folder / "run"}, 1, {config, message});
  }
}

TEST(Train, RefusesWhatFollowsFromTheData) {
  const TemporaryFolder folder;
  for (const auto* option : {"num_classes=5", "in_chans=1"}) {
    expect_failure(
        joined(train_words(folder / "run", 1), {"--model-kwargs", option}), 2, {"cannot be set"});
  }
  expect_failure(
      joined(train_words(folder / "run", 1), {"--model-kwargs=img_size=16"}), 2, {"--image-size"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(Train, NamesAnOptionThatDiffersFromTheRunsOwn) {
  expect_failure(
      joined(train_words(finished_run(), 3), {"--lr=0.5"}), 1, {finished_run(), "lr 0.01", "0.5"});
}

/// Fails unless a run into `output` with `more` is refused as wrong usage, by a line that begins
/// with `message`.
void expect_options_refused(
    const std::string& output, const std::vector<std::string>& more, const std::string& message) {
  auto words = train_words(output, 2);
  // Theirs would have no effect in some of the cases themselves.
  words.erase(
      std::remove_if(
          words.begin(),
          words.end(),
          [](const auto& word) { return word == "--scale=0.8,1" || word == "--degrees=5"; }),
      words.end());
  expect_failure(joined(words, more), 2, {"vitrine: " + message});
}

TEST(Train, RefusesOptionsWithoutEffect) {
  const TemporaryFolder folder;
  const auto expect = [&](const std::vector<std::string>& more, const std::string& message) {
    expect_options_refused(folder / "run", more, message);
  };
  expect({"--momentum=0.5"}, "--momentum: is for --opt sgd; the optimizer is adamw");
  expect(
      {"--opt=sgd", "--opt-betas=0.9,0.99"},
      "--opt-betas: is for --opt adamw, adam or lamb; the optimizer is sgd");
  expect({"--opt-eps=1e-6", "--opt=sgd"}, "--opt-eps: is for --opt adamw, adam or lamb");
  expect({"--max-grad-norm=2"}, "--max-grad-norm: is for --opt lamb; the optimizer is adamw");
  expect({"--lr-base-size=64"}, "--lr-base-size: is for --lr-base; the learning rate is that of");
  expect({"--clip-mode=norm"}, "--clip-mode: is for --clip-grad; gradients are not clipped");
  expect(
      {"--warmup-epochs=0", "--warmup-lr=0.1"},
      "--warmup-lr: is for a warm-up; --warmup-epochs is 0");
  expect(
      {"--sched=step", "--min-lr=0.1"},
      "--min-lr: is for --sched cosine, linear, poly, tanh or plateau; the schedule is step");
  expect({"--decay-epochs=3"}, "--decay-epochs: is for --sched step; the schedule is cosine");
  expect({"--decay-milestones=1"}, "--decay-milestones: is for --sched multistep");
  expect({"--decay-rate=0.5"}, "--decay-rate: is for --sched step, multistep, plateau or poly");
  expect({"--patience-epochs=3"}, "--patience-epochs: is for --sched plateau");
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(Train, RefusesOptionsOfWhatIsNotAskedFor) {
  const TemporaryFolder folder;
  const auto expect = [&](const std::vector<std::string>& more, const std::string& message) {
    expect_options_refused(folder / "run", more, message);
  };
  expect(
      {"--distillation-alpha=0.3"},
      "--distillation-alpha: is for learning from a --teacher; there is no --teacher");
  expect({"--distillation-tau=2"}, "--distillation-tau: is for learning from a --teacher");
  expect(
      {"--mixup-mode=elem"},
      "--mixup-mode: is for --mixup, --cutmix or --cutmix-minmax; no images are mixed");
  expect(
      {"--cutmix=1", "--mixup-switch-prob=0.2"},
      "--mixup-switch-prob: is for --mixup and CutMix together; there is no --mixup");
  expect(
      {"--model-ema-decay=0.9"}, "--model-ema-decay: is for --model-ema; weights are not averaged");
  const std::string varied = "is for images that are varied; --no-aug leaves them as they are";
  expect({"--no-aug", "--aa=ta_wide"}, "--aa: " + varied);
  expect({"--no-aug", "--hflip=0.5"}, "--hflip: " + varied);
  expect({"--no-aug", "--reprob=0.5"}, "--reprob: " + varied);
  expect(
      {"--aa=rand-m9", "--color-jitter=0.4"},
      "--color-jitter: is for images without a policy, or with one of 3-Augment; --aa is rand-m9");
  expect({"--color-jitter-prob=0.4"}, "--color-jitter-prob: is for --color-jitter; there is none");
  expect({"--recount=2"}, "--recount: is for --reprob; nothing is erased");
  expect(
      {"--max-bad-images=2"},
      "--max-bad-images: is for --bad-images skip; the first bad image ends the run");
  expect({"--reset-head"}, "--reset-head: is for --weights; all of the model is new");
  expect({"--checkpoint-key=model_ema"}, "unknown option '--checkpoint-key'");
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(Train, TakesOptionsThatAskForNothingAndThoseOfAConfig) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  auto words = train_words(run, 1);
  for (const auto* vary : {"--scale=0.8,1", "--degrees=5"}) {
    words.erase(std::find(words.begin(), words.end(), vary));
  }
  words = joined(
      words, {"--warmup-epochs=0", "--no-aug", "--reprob=0", "--hflip=0", "--mixup-off-epoch=0"});
  ASSERT_EQ(vitrine_program(words).status, 0) << vitrine_program(words).err;
  // Its config.json lists the defaults of all that has no effect.
  const auto config = run + "/config.json";
  const auto again = vitrine_program(
      {"train", "--config", config, "--output", folder / "again", "--device=cpu", "--quiet"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(vitrine_program({"train", "--resume", run, "--device=cpu"}).status, 0);
}

}  // namespace
}  // namespace vitrine
