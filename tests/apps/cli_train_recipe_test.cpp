#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "apps/training.h"

namespace vitrine {
namespace {

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

TEST(Train, TrainsTheHeadAlone) {
  const TemporaryFolder folder;
  const auto words = joined(
      train_words(folder / "run", 2),
      {"--linear-probe", "--weights=" + finished_run() + "/best.safetensors", "--reset-head"});
  ASSERT_EQ(vitrine_program(words).status, 0);
  const auto config = nlohmann::json::parse(bytes_of(folder / "run/config.json"))["options"];
  EXPECT_EQ(config["freeze"], (nlohmann::json{"!head*"}));
  std::filesystem::remove(checkpoint_of(folder / "run", 2));
  EXPECT_EQ(vitrine_program(words).status, 0);
  EXPECT_EQ(
      vitrine_program({"train", "--resume", folder / "run", "--linear-probe", "--device=cpu"})
          .status,
      0);
}

TEST(Train, RefusesToFreezeWhatThereIsNot) {
  const TemporaryFolder folder;
  const auto words = joined(train_words(folder / "run", 1), {"--warmup-epochs=0"});
  expect_failure(joined(words, {"--freeze=pos_embd"}), 2, {"pos_embd", "pos_embed"});
  expect_failure(joined(words, {"--freeze=*"}), 2, {"requires gradients"});
  expect_failure(joined(words, {"--layer-decay=0"}), 2, {"--layer-decay", "0"});
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

}  // namespace
}  // namespace vitrine
