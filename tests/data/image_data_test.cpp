#include "vitrine/data/image_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "vitrine/error.h"

#include "data/data_files.h"
#include "support/file_error.h"
#include "support/temporary_folder.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

std::string split_error(const std::string& path, double val_fraction = 0) {
  return file_error_of([&] { scan_image_splits(path, val_fraction); });
}

/// Two class folders with so many files.
void write_classes(const std::string& root, int a, int b) {
  for (int i = 0; i < a + b; ++i) {
    write_file(root + (i < a ? "/a/" : "/b/") + std::to_string(i) + ".png", "x");
  }
}

TEST(FindImages, SaysWhatWasExpectedWhereNothingFits) {
  const TemporaryFolder folder;
  EXPECT_EQ(split_error(folder / "none"), (folder / "none") + ": no such folder or file");
  write_file(folder / "notes.txt", "hello");
  EXPECT_EQ(
      split_error(folder.path()),
      folder.path() +
          ": holds no images that are known; expected train/ and val/, each with one folder a "
          "class, or class folders alone, train.csv or train.jsonl, the binary version of CIFAR-10 "
          "or CIFAR-100, or MNIST's IDX files");
}

TEST(FindImages, TakesAListBesideAPartWithoutClassFolders) {
  const TemporaryFolder folder;
  write_file(folder / "train/a.png", "x");
  write_file(folder / "train.csv", "file,label\ntrain/a.png,x\n");
  EXPECT_EQ(find_images(folder.path()).kind, "list");
}

TEST(FindImages, TakesAClassCalledTrainForAClass) {
  const TemporaryFolder folder;
  write_file(folder / "bus/1.png", "x");
  write_file(folder / "train/1.png", "x");
  EXPECT_EQ(
      find_images(folder.path()).parts.at("").classes, (std::vector<std::string>{"bus", "train"}));
}

TEST(ScanImageSplits, NamesTheClassesThatDiffer) {
  const TemporaryFolder folder;
  for (const auto* name : {"train/a/1.png", "train/b/1.png", "train/c/1.png"}) {
    write_file(folder / name, "x");
  }
  EXPECT_NE(split_error(folder.path()).find("has no part to judge by"), std::string::npos);
  for (const auto* name : {"val/a/1.png", "val/d/1.png"}) {
    write_file(folder / name, "x");
  }
  EXPECT_EQ(
      split_error(folder.path()),
      folder.path() +
          ": the classes of train/ and val/ differ; only in train/: b, c; only in val/: d");
}

TEST(ScanImageSplits, FindsBothParts) {
  const TemporaryFolder folder;
  write_classes(folder / "train", 1, 1);
  write_classes(folder / "val", 1, 1);
  const auto splits = scan_image_splits(folder.path());
  EXPECT_EQ(splits.train.classes, splits.val.classes);
  EXPECT_EQ(splits.val.samples.back().path, folder / "val/b/1.png");
  EXPECT_NE(
      split_error(folder.path(), 0.5).find("has a part to judge by already"), std::string::npos);
}

TEST(ScanImageSplits, SetsTheSameShareOfEachClassApart) {
  const TemporaryFolder folder;
  write_classes(folder.path(), 20, 5);
  const auto splits = scan_image_splits(folder.path(), 0.2, 1);
  const auto count = [](const ImageSet& set, int64_t label) {
    return std::count_if(set.samples.begin(), set.samples.end(), [&](const ImageSample& sample) {
      return sample.label == label;
    });
  };
  EXPECT_EQ(count(splits.train, 0), 16);
  EXPECT_EQ(count(splits.val, 0), 4);
  EXPECT_EQ(count(splits.train, 1), 4);
  EXPECT_EQ(count(splits.val, 1), 1);
  std::set<std::string> paths;
  for (const auto* set : {&splits.train, &splits.val}) {
    for (const auto& sample : set->samples) {
      paths.insert(sample.path);
    }
  }
  EXPECT_EQ(paths.size(), 25U);

  const auto name = [](const ImageSplits& s) { return s.val.samples.front().path; };
  EXPECT_EQ(name(scan_image_splits(folder.path(), 0.2, 1)), name(splits));
  std::set<std::string> drawn;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    drawn.insert(name(scan_image_splits(folder.path(), 0.2, seed)));
  }
  EXPECT_GT(drawn.size(), 1U);
}

TEST(ScanImageSplits, LeavesEveryClassAnImageToTrainOn) {
  const TemporaryFolder folder;
  write_classes(folder.path(), 1, 3);
  const auto splits = scan_image_splits(folder.path(), 0.9);
  EXPECT_EQ(labels_of(splits.train), "0 1");
  EXPECT_EQ(labels_of(splits.val), "1 1");
  std::filesystem::remove(folder / "b/1.png");
  std::filesystem::remove(folder / "b/2.png");
  EXPECT_NE(split_error(folder.path(), 0.9).find("one image of each class"), std::string::npos);
}

TEST(ScanImageSplits, RefusesAFractionOutOfRange) {
  EXPECT_VALUE_ERROR(scan_image_splits(".", 1.0), "val_fraction has to be at least 0 and below 1");
  EXPECT_VALUE_ERROR(scan_image_splits(".", -0.1), "val_fraction");
}

TEST(ScanImagePart, GivesThePartOrAllWhereThereAreNone) {
  const TemporaryFolder folder;
  write_classes(folder.path(), 1, 2);
  EXPECT_EQ(labels_of(scan_image_part(folder.path(), "val")), "0 1 1");
  const TemporaryFolder parts;
  write_classes(parts / "val", 2, 1);
  EXPECT_EQ(labels_of(scan_image_part(parts.path(), "val")), "0 0 1");
  EXPECT_EQ(
      file_error_of([&] { scan_image_part(parts.path(), "train"); }),
      parts.path() + ": has no part train, but val alone");
}

TEST(ImageData, RefusesToChooseBetweenTwoSources) {
  const std::string list = "file,label\nx.png,a\ny.png,b\n";
  const auto error_of = [&](const std::vector<std::pair<std::string, std::string>>& files) {
    const TemporaryFolder folder;
    for (const auto& [name, text] : files) {
      write_file(folder / name, text);
    }
    const auto error = file_error_of([&] { find_images(folder.path()); });
    EXPECT_EQ(error.rfind(folder.path(), 0), 0U) << error;
    auto rest = error.substr(std::min(error.size(), folder.path().size()));
    for (auto at = rest.find(folder.path()); at != std::string::npos;) {
      rest.erase(at, folder.path().size());
      at = rest.find(folder.path());
    }
    return rest;
  };
  const auto both = [](const std::string& one, const std::string& other) {
    return ": holds both " + one + " and " + other +
           ", each of which says what the images are; move one away, or name a list itself";
  };
  EXPECT_EQ(
      error_of({{"train.csv", list}, {"train/a/x.png", ""}, {"val/a/x.png", ""}}),
      both("train/", "train.csv"));
  EXPECT_EQ(error_of({{"val.jsonl", list}, {"train/a/x.png", ""}}), both("train/", "val.jsonl"));
  EXPECT_EQ(
      error_of({{"train.csv", list}, {"cat/x.png", ""}, {"dog/x.png", ""}}),
      both("train.csv", "cat/"));
  EXPECT_EQ(
      error_of({{"train.csv", list}, {"test_batch.bin", ""}}), both("train.csv", "test_batch.bin"));
  EXPECT_EQ(
      error_of({{"data_batch_1.bin", ""}, {"t10k-images-idx3-ubyte", ""}}),
      both("data_batch_1.bin", "t10k-images-idx3-ubyte"));
  EXPECT_EQ(
      error_of({{"data_batch_1.bin", ""}, {"train.bin", ""}}),
      ": holds CIFAR-10 (data_batch_1.bin) and CIFAR-100 (train.bin), expected one of them");
  EXPECT_EQ(
      error_of({{"train.csv", list}, {"train.jsonl", ""}}),
      "/train.csv and /train.jsonl both list the images of train, expected one of them");
  EXPECT_EQ(
      error_of({{"a-train-images-idx3-ubyte", ""}, {"b-train-images-idx3-ubyte.gz", ""}}),
      "/a-train-images-idx3-ubyte and /b-train-images-idx3-ubyte.gz are for the same part, "
      "expected one of them");
}

TEST(ImageData, TakesAListOfTheFoldersBesideIt) {
  const TemporaryFolder folder;
  write_file(folder / "train.csv", "file,label\nimages/x.png,a\nimages/y.png,b\n");
  write_file(folder / "images/x.png", "");
  write_file(folder / "masks/x.png", "");
  EXPECT_EQ(find_images(folder.path()).kind, "list");
}

TEST(ImageData, RefusesClassesWhoseNamesAreNotUtf8) {
  const TemporaryFolder folder;
  write_file(folder / "data/train/caf\xE9/x.png", "");
  EXPECT_EQ(
      file_error_of([&] { find_images(folder / "data"); }),
      (folder / "data/train") + ": the name of class 'caf\\xe9' is not UTF-8");
  write_file(folder / "list.csv", "file,label\nx.png,b\nx.png,caf\xE9\n");
  EXPECT_EQ(
      file_error_of([&] { find_images(folder / "list.csv"); }),
      (folder / "list.csv") + ": line 3: the name of class 'caf\\xe9' is not UTF-8");
  write_file(folder / "cifar/test_batch.bin", "");
  write_file(folder / "cifar/batches.meta.txt", "a\ncaf\xE9\n");
  EXPECT_EQ(
      file_error_of([&] { find_images(folder / "cifar"); }),
      (folder / "cifar/batches.meta.txt") + ": line 2: the name of class 'caf\\xe9' is not UTF-8");
}

}  // namespace
}  // namespace vitrine
