#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/training.h"
#include "support/cost.h"

namespace vitrine {
namespace {

using nlohmann::json;

/// A list of the images in `drawn_splits`, with a split where wanted.
std::string list_of(bool with_split) {
  std::string text = with_split ? "file,label,split\n" : "file,label\n";
  for (const auto* part : {"train", "val"}) {
    for (int label = 0; label < 3; ++label) {
      const auto folder = drawn_splits() + "/" + part + "/class" + std::to_string(label);
      for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        text += entry.path().string() + ",class" + std::to_string(label) +
                (with_split ? std::string(",") + part : "") + "\n";
      }
    }
  }
  return text;
}

std::vector<std::string> train_on(
    const std::string& data, const std::string& output, const std::vector<std::string>& more = {}) {
  auto words = train_words(output, 2);
  words[1] = data;
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(Data, TrainsAndEvaluatesOnAList) {
  const TemporaryFolder folder;
  write_text(folder / "list.csv", list_of(/*with_split=*/true));
  const auto trained = vitrine_program(train_on(folder / "list.csv", folder / "run"));
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_NE(trained.err.find("24 images to train on, 12 to validate"), std::string::npos);
  const auto result = vitrine_program(
      {"evaluate",
       folder / "list.csv",
       "--device=cpu",
       "--weights",
       folder / "run/best.safetensors",
       "--format=json"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(json::parse(result.out)["images"], 12);
  EXPECT_EQ(json::parse(result.out)["classes"][2]["label"], "class2");
}

TEST(Data, TrainsOnCifarPixels) {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 12; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i % 2));
    bytes.insert(bytes.end(), 3072, static_cast<std::uint8_t>(i % 2 == 0 ? 40 : 200));
  }
  for (int number = 1; number <= 5; ++number) {
    write_bytes(folder / ("data_batch_" + std::to_string(number) + ".bin"), bytes);
  }
  write_bytes(folder / "test_batch.bin", bytes);
  write_text(folder / "batches.meta.txt", "dark\nbright\n");
  const auto trained = vitrine_program(train_on(folder.path(), folder / "run"));
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_NE(trained.err.find("60 images to train on, 12 to validate"), std::string::npos);
  const auto checked = vitrine_program({"check-data", folder.path(), "--format=json"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_NE(
      checked.err.find(folder.path() + ": 2 pictures are in several parts"), std::string::npos)
      << checked.err;
  const auto report = json::parse(checked.out);
  EXPECT_EQ(report["kind"], "CIFAR-10");
  EXPECT_EQ(report["duplicates"].size(), 2U);
  EXPECT_EQ(report["duplicates"][0]["leak"], true);
  EXPECT_EQ(report["duplicates"][0]["images"][0]["file"], folder / "data_batch_1.bin#0");
}

TEST(Data, SetsAFractionApartToValidateBy) {
  const TemporaryFolder folder;
  const auto data = drawn_splits() + "/train";
  const auto trained = vitrine_program(train_on(data, folder / "run", {"--val-fraction=0.25"}));
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_NE(trained.err.find("18 images to train on, 6 to validate"), std::string::npos);
  const auto weights = folder / "run/best.safetensors";
  const auto result = vitrine_program(
      {"evaluate",
       data,
       "--device=cpu",
       "--weights",
       weights,
       "--format=json",
       "--val-fraction=0.25"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(json::parse(result.out)["images"], 6);
  // The same images as in training, hence the same answer.
  EXPECT_EQ(
      json::parse(result.out)["top1"],
      std::max(
          metrics_of(folder / "run")[0]["val_top1"].get<double>(),
          metrics_of(folder / "run")[1]["val_top1"].get<double>()));
}

TEST(Data, SkipsBadImagesTheSameForAnyNumberOfWorkers) {
  const TemporaryFolder folder;
  std::filesystem::copy(drawn_splits(), folder / "data", std::filesystem::copy_options::recursive);
  const auto bad = folder / "data/train/class1/2.png";
  write_text(bad, "no image");
  write_text(folder / "data/val/class0/1.png", "no image");
  const auto failed = vitrine_program(train_on(folder / "data", folder / "failed"));
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(failed.err.find(bad + ": not a supported image"), std::string::npos) << failed.err;
  for (const auto* workers : {"0", "3"}) {
    const auto result = vitrine_program(train_on(
        folder / "data",
        folder / workers,
        {"--bad-images=skip", std::string("--workers=") + workers}));
    ASSERT_EQ(result.status, 0) << result.err;
    const auto first = result.err.find(bad);
    EXPECT_NE(first, std::string::npos) << result.err;
    EXPECT_EQ(result.err.find(bad, first + 1), std::string::npos) << result.err;
  }
  EXPECT_EQ(metrics_of(folder / "0"), metrics_of(folder / "3"));
  const auto capped = vitrine_program(
      train_on(folder / "data", folder / "capped", {"--bad-images=skip", "--max-bad-images=1"}));
  EXPECT_EQ(capped.status, 1);
  EXPECT_NE(capped.err.find("more images cannot be read than the 1 allowed"), std::string::npos)
      << capped.err;
}

TEST(CheckData, NamesBrokenImagesAndLeaksAndStaysFlat) {
  const TemporaryFolder folder;
  constexpr int kEach = 500;
  const auto jpeg = encoded(".jpg", picture(0, 300, 400));
  const auto cut = std::vector<std::uint8_t>(jpeg.begin(), jpeg.begin() + 2000);
  for (int i = 0; i < 2 * kEach; ++i) {
    const auto name = std::string(i < kEach ? "a" : "b") + "/" + std::to_string(i) + ".png";
    const auto path = folder / ("data/train/" + name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    write_bytes(path, i % 100 == 7 ? cut : encoded(".png", picture(i, 150, 200)));
  }
  for (const auto* name : {"data/val/a/x.png", "data/val/b/y.png"}) {
    std::filesystem::create_directories(std::filesystem::path(folder / name).parent_path());
    write_bytes(folder / name, encoded(".png", picture(1, 150, 200)));
  }
  const auto result = vitrine_program({"check-data", folder / "data", "--format=json"});
  EXPECT_EQ(result.status, 1);
  ASSERT_EQ(lines_of(result.err).size(), 11U) << result.err;
  EXPECT_EQ(
      lines_of(result.err)[0].rfind("vitrine: " + (folder / "data/train/a/107.png") + ": ", 0), 0U)
      << result.err;
  EXPECT_EQ(
      lines_of(result.err)[10],
      "vitrine: " + (folder / "data") +
          ": 1 picture is in several parts, so that a model is judged by what it was trained on");
  const auto report = json::parse(result.out);
  EXPECT_EQ(report["images"], 2 * kEach + 2);
  EXPECT_EQ(report["broken"].size(), 10U);
  EXPECT_EQ(report["parts"][0]["classes"][0]["images"], kEach - 5);
  EXPECT_EQ(report["width"]["median"], 200);
  bool leak = false;
  for (const auto& group : report["duplicates"]) {
    leak = leak || group["leak"].get<bool>();
  }
  EXPECT_TRUE(leak);
  const auto small = vitrine_program({"check-data", drawn_splits()});
  EXPECT_EQ(small.status, 0) << small.err;
  EXPECT_NE(small.out.find("image folder: 36 images, 0 broken"), std::string::npos) << small.out;
  if (!kSanitized) {  // memory that was freed stays with the sanitizer for a while
    EXPECT_LT(result.peak_memory_kib - small.peak_memory_kib, 48 << 10);
  }
}

TEST(CheckData, RefusesTheClassesThatTrainRefuses) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "data/a");
  write_picture(folder / "data/a/1.png", 1);
  const auto result = vitrine_program({"check-data", folder / "data"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(
      result.err,
      "vitrine: " + (folder / "data") + ": has one class only ('a'), expected at least two\n");
  EXPECT_NE(result.out.find("image folder: 1 images, 0 broken"), std::string::npos) << result.out;
}

TEST(CheckData, TellsAnErrorWhereAPartLacksAClass) {
  const TemporaryFolder folder;
  const auto list = folder / "list.csv";
  write_text(list, "file,label,split\n1.png,a,train\n2.png,b,train\n3.png,a,val\n");
  for (int i = 1; i <= 3; ++i) {
    write_picture(folder / (std::to_string(i) + ".png"), i);
  }
  const auto result = vitrine_program({"check-data", list});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(
      result.err, "vitrine: " + list + ": has no image that can be read of 1 class in val: b\n");
  EXPECT_NE(result.out.find("\nclasses without an image in val: b\n"), std::string::npos)
      << result.out;
  write_text(list, "file,label,split\n1.png,a,train\n2.png,b,train\n3.png,a,val\n2.png,b,val\n");
  const auto leaky = vitrine_program({"check-data", list});
  EXPECT_EQ(leaky.err.find("has no image"), std::string::npos) << leaky.err;
}

TEST(CheckData, RemarksOnFilesThatTrainingPassesOver) {
  const TemporaryFolder folder;
  const auto data = folder / "data";
  for (const auto* name : {"a", "b"}) {
    std::filesystem::create_directories(data + "/" + name);
    write_picture(data + "/" + name + "/1.png", *name);
  }
  const auto check = [&](const std::string& format) {
    const auto result = vitrine_program({"check-data", data, "--format=" + format});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  };
  const auto clean = check("table");
  EXPECT_EQ(clean.find("ignored"), std::string::npos) << clean;
  std::vector<std::string> names;
  for (const auto* name : {"a/2.gif", "a/3.heic", "a/4", "a/5", "a/6", "stray.png"}) {
    write_text(data + "/" + name, "x");
    names.push_back(data + "/" + name);
  }
  write_text(data + "/a/.DS_Store", "x");
  const auto table = check("table");
  EXPECT_NE(
      table.find(
          "\nignored: 6 files without an image's extension or beside the class folders: " +
          names[0] + ", " + names[1] + ", " + names[2] + ", " + names[3] + ", " + names[4] +
          " and 1 more\n"),
      std::string::npos)
      << table;
  EXPECT_EQ(json::parse(check("json"))["ignored"].get<std::vector<std::string>>(), names);
}

}  // namespace
}  // namespace vitrine
