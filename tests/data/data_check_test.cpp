#include "vitrine/data/data_check.h"

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include <filesystem>
#include <string>

#include "data/data_files.h"
#include "support/file_error.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

/// Writes a picture of one colour, whose lowest pixel has `mark`.
void draw(const std::string& path, int rows, int columns, int colour, int mark = 0) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  cv::Mat image(rows, columns, CV_8UC3, cv::Scalar::all(colour));
  image.at<cv::Vec3b>(rows - 1, columns - 1)[0] = static_cast<std::uint8_t>(mark);
  cv::imwrite(path, image);
}

std::string names_of(const ImageData& data, const std::vector<ImagePlace>& places) {
  std::string names;
  for (const auto& place : places) {
    const auto path = data.parts.at(place.part).samples[place.index].path;
    names += (names.empty() ? "" : " ") + std::filesystem::path(path).filename().string();
  }
  return names;
}

TEST(CheckImages, CountsAndMeasuresWhatThereIs) {
  const TemporaryFolder folder;
  draw(folder / "train/a/1.png", 10, 20, 1);
  draw(folder / "train/a/2.jpg", 12, 22, 2);
  draw(folder / "train/b/3.png", 14, 20, 3);
  cv::imwrite(folder / "train/b/4.png", cv::Mat(30, 40, CV_8UC1, cv::Scalar(9)));
  write_file(folder / "train/b/5.png", "no image");
  draw(folder / "val/a/6.png", 10, 20, 6);
  std::filesystem::create_directories(folder / "val/b");
  const auto data = find_images(folder.path());
  std::string told;
  DataCheckEvents events;
  events.broken = [&](const ImagePlace& place, const std::string& error) {
    told += names_of(data, {place}) + " " + error;
  };
  const auto report = check_images(data, 2, events);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->images, 6);
  EXPECT_EQ(names_of(data, report->broken), "5.png");
  EXPECT_EQ(
      told.rfind("5.png " + (folder / "train/b/5.png") + ": not a supported image: text", 0), 0U)
      << told;
  EXPECT_EQ(report->class_counts.at("train"), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(report->class_counts.at("val"), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(report->height.least, 10);
  EXPECT_EQ(report->height.median, 12);
  EXPECT_EQ(report->height.most, 30);
  EXPECT_EQ(report->width.median, 20);
  EXPECT_EQ(report->formats, (std::map<std::string, int64_t>{{"JPEG", 1}, {"PNG", 4}}));
  EXPECT_EQ(report->channels, (std::map<int64_t, int64_t>{{1, 1}, {3, 4}}));
  EXPECT_TRUE(report->duplicates.empty());
  const auto missing = missing_classes(data, *report);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing.at("val"), std::vector<std::string>{"b"});
}

TEST(CheckImages, FindsTheSamePixelsInOtherFiles) {
  const TemporaryFolder folder;
  draw(folder / "train/a/1.png", 10, 20, 1, 5);
  draw(folder / "train/a/2.bmp", 10, 20, 1, 5);
  draw(folder / "train/b/3.png", 10, 20, 1, 6);
  draw(folder / "train/b/4.png", 20, 10, 1, 5);
  draw(folder / "train/b/5.png", 8, 8, 2);
  draw(folder / "val/a/6.png", 8, 8, 2);
  const auto data = find_images(folder.path());
  const auto report = check_images(data, 3);
  ASSERT_TRUE(report.has_value());
  ASSERT_EQ(report->duplicates.size(), 2U);
  EXPECT_EQ(names_of(data, report->duplicates[0]), "1.png 2.bmp");
  EXPECT_FALSE(is_leak(report->duplicates[0]));
  EXPECT_EQ(names_of(data, report->duplicates[1]), "5.png 6.png");
  EXPECT_TRUE(is_leak(report->duplicates[1]));
}

TEST(ClassFault, IsWhatTrainingWouldRefuse) {
  const TemporaryFolder folder;
  const auto& path = folder.path();
  const auto fault = [&] { return class_fault(path, find_images(path)).value_or("none"); };
  write_file(folder / "train/a/1.png", "x");
  write_file(folder / "val/a/1.png", "x");
  EXPECT_EQ(fault(), (folder / "train") + ": has one class only ('a'), expected at least two");
  write_file(folder / "train/b/1.png", "x");
  write_file(folder / "val/c/1.png", "x");
  EXPECT_EQ(
      fault(),
      path + ": the classes of train/ and val/ differ; only in train/: b; only in val/: c");
  EXPECT_EQ(fault(), file_error_of([&] { scan_image_splits(path); }));
  std::filesystem::rename(folder / "val/c", folder / "val/b");
  EXPECT_EQ(fault(), "none");
  std::filesystem::remove_all(folder / "train");
  EXPECT_EQ(fault(), "none");
}

TEST(IgnoredFiles, AreThoseThatFindImagesPassesOver) {
  const TemporaryFolder folder;
  for (const auto* name :
       {"train/a/1.png",
        "train/a/b.heic",
        "train/a/deep/c",
        "train/a/.DS_Store",
        "train/a/.cache/x.gif",
        "train/b/2.JPG",
        "train/notes.txt",
        "train/stray.jpg",
        "train/.stray.jpg",
        "val/a/3.png",
        "val/b/4.png",
        "val/b/d.GIF",
        "val/e.PNG",
        "other/f.gif"}) {
    write_file(folder / name, "x");
  }
  const auto names = [&](const std::string& path) {
    std::string text;
    for (const auto& file : ignored_files(path, find_images(path))) {
      text += (text.empty() ? "" : " ") + file.substr(folder.path().size() + 1);
    }
    return text;
  };
  EXPECT_EQ(
      names(folder.path()), "train/a/b.heic train/a/deep/c train/stray.jpg val/b/d.GIF val/e.PNG");
  EXPECT_EQ(names(folder / "val"), "val/b/d.GIF val/e.PNG");
  write_file(folder / "lists/train.csv", "file,label\n1.png,a\n2.png,b\n");
  write_file(folder / "lists/a/x.gif", "x");
  EXPECT_EQ(names(folder / "lists"), "");
}

TEST(CheckImages, ReadsPackedImagesAndStopsWhenAsked) {
  const TemporaryFolder folder;
  write_file(folder / "train-images-idx3-ubyte", idx_images(3));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels({0, 1, 1}));
  const auto data = find_images(folder.path());
  const auto report = check_images(data, 1);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->formats, (std::map<std::string, int64_t>{{"packed", 3}}));
  EXPECT_EQ(report->channels, (std::map<int64_t, int64_t>{{1, 3}}));
  EXPECT_EQ(report->width.most, 3);
  DataCheckEvents events;
  events.progress = [](int64_t done, int64_t) { return done < 2; };
  EXPECT_FALSE(check_images(data, 1, events).has_value());
}

}  // namespace
}  // namespace vitrine
