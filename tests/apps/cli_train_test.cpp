#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "apps/training.h"

namespace vitrine {
namespace {

/// A finished run, made once.
const std::string& finished_run() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    const auto result = vitrine_program(train_words(folder / "run", 3));
    EXPECT_EQ(result.status, 0) << result.err;
    return folder / "run";
  }();
  return path;
}

std::vector<std::string> joined(
    std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Fails unless the program leaves with `status` and one line that holds every one of `parts`.
void expect_failure(
    const std::vector<std::string>& words, int status, const std::vector<std::string>& parts) {
  const auto result = vitrine_program(words);
  EXPECT_EQ(result.status, status) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  for (const auto& part : parts) {
    EXPECT_NE(result.err.find(part), std::string::npos) << part << " is not in: " << result.err;
  }
}

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

TEST(Train, FreezesDecaysByLayerAndGoesOnToTheSameBits) {
  const TemporaryFolder folder;
  const std::vector<std::string> more = {
      "--layer-decay=0.5", "--freeze=patch_embed.*", "--freeze", "pos_embed"};
  const auto whole = folder / "whole";
  const auto resumed = folder / "resumed";
  ASSERT_EQ(vitrine_program(joined(train_words(whole, 3), more)).status, 0);
  const auto config = nlohmann::json::parse(bytes_of(whole + "/config.json"))["options"];
  EXPECT_EQ(config["layer_decay"], 0.5);
  EXPECT_EQ(config["freeze"], (nlohmann::json{"patch_embed.*", "pos_embed"}));
  std::filesystem::copy(whole, resumed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(checkpoint_of(resumed, 3));
  EXPECT_EQ(vitrine_program({"train", "--resume", resumed, "--device=cpu"}).status, 0);
  EXPECT_EQ(bytes_of(checkpoint_of(resumed, 3)), bytes_of(checkpoint_of(whole, 3)));
  EXPECT_NE(bytes_of(checkpoint_of(whole, 3)), bytes_of(checkpoint_of(finished_run(), 3)));
  expect_failure(
      joined(train_words(whole, 3), {"--layer-decay=0.5"}), 1, {"freeze", "patch_embed"});
}

TEST(Train, TakesARecipeAndGoesOnToTheSameBits) {
  const TemporaryFolder folder;
  const std::vector<std::string> more = {
      "--opt=lamb",
      "--opt-betas=0.8,0.99",
      "--sched=plateau",
      "--patience-epochs=0",
      "--eval-metric=loss",
      "--clip-grad=0.1",
      "--clip-mode=agc",
      "--batch-size=4",
      "--grad-accum-steps=2",
      "--bce-loss",
      "--bce-target-thresh=0.2",
      "--class-weights=balanced",
      "--mixup=0.2",
      "--cutmix-minmax=0.2,0.8",
      "--mixup-mode=elem",
      "--model-ema",
      "--model-ema-warmup"};
  const auto whole = folder / "whole";
  const auto resumed = folder / "resumed";
  const auto result = vitrine_program(joined(train_words(whole, 3), more));
  ASSERT_EQ(result.status, 0) << result.err;
  const auto config = nlohmann::json::parse(bytes_of(whole + "/config.json"))["options"];
  EXPECT_EQ(config["beta1"], 0.8);
  EXPECT_EQ(config["clip_mode"], "agc");
  EXPECT_EQ(config["balance_classes"], true);
  EXPECT_EQ(config["cutmix_minmax"], (nlohmann::json{0.2, 0.8}));
  EXPECT_EQ(config["lr_base"], nullptr);
  std::filesystem::copy(whole, resumed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(checkpoint_of(resumed, 3));
  EXPECT_EQ(vitrine_program({"train", "--resume", resumed, "--device=cpu"}).status, 0);
  EXPECT_EQ(bytes_of(checkpoint_of(resumed, 3)), bytes_of(checkpoint_of(whole, 3)));
}

TEST(Train, TakesAPrecisionThatIsPartOfTheRun) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole";
  const auto words = joined(train_words(whole, 2), {"--precision=bf16"});
  const auto result = vitrine_program(words);
  ASSERT_EQ(result.status, 0) << result.err;
  const auto config = nlohmann::json::parse(bytes_of(whole + "/config.json"))["options"];
  EXPECT_EQ(config["precision"], "bf16");
  const auto expected = bytes_of(checkpoint_of(whole, 2));
  std::filesystem::remove(checkpoint_of(whole, 2));
  expect_failure(train_words(whole, 2), 1, {"precision \"bf16\"", "fp32"});
  EXPECT_EQ(vitrine_program({"train", "--resume", whole, "--device=cpu"}).status, 0);
  EXPECT_EQ(bytes_of(checkpoint_of(whole, 2)), expected);
  const auto loss = [&](const std::string& precision) {
    const auto judged = vitrine_program(
        {"evaluate",
         drawn_splits(),
         "--weights",
         whole + "/best.safetensors",
         "--device=cpu",
         "--format=json",
         "--precision=" + precision});
    EXPECT_EQ(judged.status, 0) << judged.err;
    return nlohmann::json::parse(judged.out)["loss"].get<double>();
  };
  EXPECT_NE(loss("bf16"), loss("fp32"));
  EXPECT_NEAR(loss("bf16"), loss("fp32"), 0.05);
}

TEST(Train, LearnsFromATeacherAndGoesOnToTheSameBits) {
  const TemporaryFolder folder;
  // It is of another size.
  const auto teacher = folder / "teacher";
  auto words = train_words(teacher, 1);
  words.insert(words.end(), {"--image-size=16", "--warmup-epochs=0", "--mean=0.5,0.5,0.5"});
  ASSERT_EQ(vitrine_program(words).status, 0);
  const std::vector<std::string> more = {
      "--model-kwargs=distilled=true",
      "--teacher=" + teacher + "/best.safetensors",
      "--distillation-type=soft",
      "--distillation-alpha=0.7",
      "--distillation-tau=2",
      "--mixup=0.2",
      "--drop=0"};
  const auto whole = folder / "whole";
  const auto resumed = folder / "resumed";
  const auto result = vitrine_program(joined(train_words(whole, 2), more));
  ASSERT_EQ(result.status, 0) << result.err;
  const auto config = nlohmann::json::parse(bytes_of(whole + "/config.json"))["options"];
  EXPECT_EQ(config["teacher"], teacher + "/best.safetensors");
  EXPECT_EQ(config["distillation_type"], "soft");
  EXPECT_EQ(config["distillation_alpha"], 0.7);
  EXPECT_EQ(config["distillation_tau"], 2.0);
  std::filesystem::copy(whole, resumed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(checkpoint_of(resumed, 2));
  EXPECT_EQ(vitrine_program({"train", "--resume", resumed, "--device=cpu"}).status, 0);
  EXPECT_EQ(bytes_of(checkpoint_of(resumed, 2)), bytes_of(checkpoint_of(whole, 2)));
  const auto missing = vitrine_program(
      {"train", "--resume", resumed, "--device=cpu", "--teacher=" + (folder / "gone")});
  EXPECT_EQ(missing.status, 0) << missing.err;  // the run is finished, and needs no teacher
}

TEST(Train, RefusesATeacherOfOtherClasses) {
  const TemporaryFolder folder;
  draw_splits(folder / "other", /*classes=*/2, /*train_count=*/2, /*val_count=*/1);
  auto words = train_words(folder / "teacher", 1);
  words[1] = folder / "other";
  words.emplace_back("--warmup-epochs=0");
  ASSERT_EQ(vitrine_program(words).status, 0);
  const auto student = joined(train_words(folder / "run", 1), {"--warmup-epochs=0"});
  const auto teacher = "--teacher=" + (folder / "teacher/best.safetensors");
  expect_failure(joined(student, {teacher}), 2, {"a teacher needs a distillation_type"});
  expect_failure(joined(student, {"--distillation-type=hard"}), 2, {"needs a teacher"});
  expect_failure(
      joined(student, {teacher, "--distillation-type=hard"}),
      1,
      {"best.safetensors", "the teacher knows 2 classes", "of 3"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run/config.json"));
}

TEST(Train, RefusesARecipeThatCannotBe) {
  const TemporaryFolder folder;
  const auto words = joined(train_words(folder / "run", 1), {"--warmup-epochs=0"});
  expect_failure(joined(words, {"--lr-base=0.1"}), 2, {"--lr and --lr-base exclude each other"});
  expect_failure(joined(words, {"--bce-sum"}), 2, {"bce_sum has no effect without bce_loss"});
  expect_failure(joined(words, {"--clip-mode=agc"}), 2, {"--clip-mode: is for --clip-grad"});
  expect_failure(
      joined(words, {"--sched=step", "--cooldown-epochs=1"}), 2, {"cooldown_epochs", "step"});
  expect_failure(joined(words, {"--cutmix-minmax=0.8,0.2"}), 2, {"cutmix_minmax has to ascend"});
  expect_failure(joined(words, {"--class-weights=1,balanced"}), 2, {"--class-weights"});
  expect_failure(joined(words, {"--decay-milestones=1,2.5"}), 2, {"--decay-milestones"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  expect_failure(
      joined(words, {"--class-weights=1,2"}),
      2,
      {"class_weights", "each of the 3 classes, but got 2"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run")) << "a refused run leaves no folder";
}

TEST(Train, RefusesOptionsWithoutEffect) {
  const TemporaryFolder folder;
  const auto words = [&](const std::vector<std::string>& more) {
    auto all = train_words(folder / "run", 2);
    // Theirs would have no effect in some of the cases themselves.
    all.erase(
        std::remove_if(
            all.begin(),
            all.end(),
            [](const auto& word) { return word == "--scale=0.8,1" || word == "--degrees=5"; }),
        all.end());
    return joined(all, more);
  };
  const auto expect = [&](const std::vector<std::string>& more, const std::string& message) {
    expect_failure(words(more), 2, {"vitrine: " + message});
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

TEST(Train, VariesImagesTheSameForAnyNumberOfWorkersAndAfterAStop) {
  const TemporaryFolder folder;
  const std::vector<std::string> more = {
      "--aa=rand-m9-mstd0.5-inc1-t3a",
      "--color-jitter=0.3,0.2,0.1,0.05",
      "--grayscale-prob=0.1",
      "--gaussian-blur-prob=0.1",
      "--reprob=0.5",
      "--remode=pixel",
      "--recount=2",
      "--aug-repeats=3"};
  const auto whole = folder / "whole";
  const auto resumed = folder / "resumed";
  ASSERT_EQ(vitrine_program(joined(train_words(whole, 2), more)).status, 0);
  const auto config = nlohmann::json::parse(bytes_of(whole + "/config.json"))["options"];
  EXPECT_EQ(config["aa"], "rand-m9-mstd0.5-inc1-t3a");
  EXPECT_EQ(config["color_jitter"], (nlohmann::json{0.3, 0.2, 0.1, 0.05}));
  EXPECT_EQ(config["remode"], "pixel");
  EXPECT_EQ(config["recount"], 2);
  EXPECT_EQ(config["aug_repeats"], 3.0);
  std::filesystem::copy(whole, resumed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(checkpoint_of(resumed, 2));
  const std::vector<std::string> resume = {"train", "--resume", resumed, "--device=cpu"};
  EXPECT_EQ(vitrine_program(joined(resume, {"--workers=2"})).status, 0);
  EXPECT_EQ(bytes_of(checkpoint_of(resumed, 2)), bytes_of(checkpoint_of(whole, 2)));
}

TEST(Train, GivesTheSameFilesWithGradientCheckpointing) {
  const TemporaryFolder folder;
  ASSERT_EQ(vitrine_program(train_words(folder / "run", 1)).status, 0);
  const auto words = joined(train_words(folder / "less", 1), {"--grad-checkpointing"});
  ASSERT_EQ(vitrine_program(words).status, 0);
  EXPECT_EQ(
      bytes_of(checkpoint_of(folder / "less", 1)), bytes_of(checkpoint_of(folder / "run", 1)));
  EXPECT_EQ(bytes_of(folder / "less/config.json"), bytes_of(folder / "run/config.json"));
}

TEST(Train, TrainsAtSeveralSizesAndGoesOnToTheSameBits) {
  const TemporaryFolder folder;
  const std::vector<std::string> more = {
      "--multi-scale=8,16,12",
      "--model-kwargs=depth=1,embed_dim=16,num_heads=2,dynamic_img_size=true"};
  const auto whole = folder / "whole";
  const auto resumed = folder / "resumed";
  ASSERT_EQ(vitrine_program(joined(train_words(whole, 2), more)).status, 0);
  const auto config = nlohmann::json::parse(bytes_of(whole + "/config.json"))["options"];
  EXPECT_EQ(config["multi_scale"], (nlohmann::json{8, 16, 12}));
  std::filesystem::copy(whole, resumed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(checkpoint_of(resumed, 2));
  const auto result =
      vitrine_program({"train", "--resume", resumed, "--device=cpu", "--workers=0"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(bytes_of(checkpoint_of(resumed, 2)), bytes_of(checkpoint_of(whole, 2)));
  const auto run = folder / "run";
  expect_failure(
      joined(train_words(run, 1), {"--warmup-epochs=0", "--multi-scale=8,16"}),
      2,
      {"multi_scale", "dynamic_img_size=true"});
  expect_failure(
      joined(train_words(run, 1), {"--multi-scale=8,x"}), 2, {"--multi-scale", "8,x", "sides"});
}

TEST(Train, RefusesToFreezeWhatThereIsNot) {
  const TemporaryFolder folder;
  const auto words = joined(train_words(folder / "run", 1), {"--warmup-epochs=0"});
  expect_failure(joined(words, {"--freeze=pos_embd"}), 2, {"pos_embd", "pos_embed"});
  expect_failure(joined(words, {"--freeze=*"}), 2, {"requires gradients"});
  expect_failure(joined(words, {"--layer-decay=0"}), 2, {"--layer-decay", "0"});
}

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

TEST(Evaluate, AgreesWithTheRunsOwnValidation) {
  const auto best = finished_run() + "/best.safetensors";
  const auto result = vitrine_program(
      {"evaluate", drawn_splits(), "--weights", best, "--device=cpu", "--format=json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  double best_top1 = -1;
  double loss = 0;
  for (const auto& line : metrics_of(finished_run())) {
    if (line["val_top1"].get<double>() > best_top1) {
      best_top1 = line["val_top1"].get<double>();
      loss = line["val_loss"].get<double>();
    }
  }
  EXPECT_EQ(json["images"], 12);
  EXPECT_EQ(json["top1"].get<double>(), best_top1);
  EXPECT_NEAR(json["loss"].get<double>(), loss, 1e-5);
  EXPECT_EQ(json["classes"].size(), 3U);
  EXPECT_EQ(json["classes"][1]["label"], "class1");
  int64_t counted = 0;
  for (const auto& row : json["confusion"]) {
    for (const auto& count : row) {
      counted += count.get<int64_t>();
    }
  }
  EXPECT_EQ(counted, 12);
  EXPECT_EQ(json["mistakes"].size(), static_cast<std::size_t>(std::lround(12 * (1 - best_top1))));
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
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["images"], 11);
  EXPECT_EQ(json["classes"][1]["images"], 3);
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
