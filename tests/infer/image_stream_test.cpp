#include "vitrine/infer/image_stream.h"

#include <ATen/Parallel.h>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/image/image.h"

#include "support/temporary_folder.h"

namespace vitrine {
namespace {

PreprocessOptions small() {
  return PreprocessOptions().height(8).width(8);
}

std::string write_grey(const std::string& path, int level) {
  cv::imwrite(path, cv::Mat(20, 20, CV_8UC3, cv::Scalar::all(level)));
  return path;
}

std::vector<StreamedImage> drain(ImageStream stream) {
  std::vector<StreamedImage> all;
  while (auto step = stream.next()) {
    all.insert(all.end(), step->begin(), step->end());
  }
  EXPECT_FALSE(stream.next()) << "the end stays the end";
  return all;
}

TEST(ImageStream, KeepsTheOrderForAnyNumberOfWorkersAndBatchSize) {
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  for (int i = 0; i < 23; ++i) {
    paths.push_back(write_grey(folder / (std::to_string(i) + ".png"), 10 * i));
  }
  for (const std::size_t workers : {0, 1, 3}) {
    for (const std::size_t batch_size : {1, 5, 23, 100}) {
      const auto images =
          drain({paths, small(), ImageStreamOptions().workers(workers).batch_size(batch_size)});
      ASSERT_EQ(images.size(), paths.size());
      for (std::size_t i = 0; i < paths.size(); ++i) {
        EXPECT_EQ(images[i].index, i);
        EXPECT_EQ(images[i].path, paths[i]);
        EXPECT_EQ(images[i].error, "");
        const auto expected = preprocess(read_image(paths[i]), small());
        EXPECT_TRUE(torch::equal(images[i].image, expected));
      }
    }
  }
}

TEST(ImageStream, TellsWhyAFileHasNoImageAndGoesOn) {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.png") << "no image";
  const std::vector<std::string> paths{
      folder / "none.png", write_grey(folder / "a.png", 7), folder / "text.png", folder.path()};
  const auto images = drain({paths, small()});
  ASSERT_EQ(images.size(), 4U);
  EXPECT_TRUE(images[1].image.defined());
  for (const std::size_t i : {0, 2, 3}) {
    EXPECT_FALSE(images[i].image.defined());
    EXPECT_NE(images[i].error, "");
    EXPECT_EQ(images[i].error.find('\n'), std::string::npos);
    EXPECT_EQ(images[i].error.find(folder.path()), std::string::npos) << images[i].error;
  }
}

TEST(ImageStream, EndsAtOnceWithoutFiles) {
  EXPECT_TRUE(drain({{}, small()}).empty());
}

TEST(ImageStream, CanBeLeftBeforeItsEnd) {
  const TemporaryFolder folder;
  const std::vector<std::string> paths(100, write_grey(folder / "a.png", 7));
  ImageStream stream(paths, small(), ImageStreamOptions().batch_size(2));
  EXPECT_EQ(stream.next()->size(), 2U);
  auto moved = std::move(stream);
  EXPECT_EQ(moved.next()->at(0).index, 2U);
}

/// Threads of this process.
std::size_t thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST(ImageStream, StartsNoThreadsBesideItsWorkers) {
  const TemporaryFolder folder;
  const auto path = folder / "large.png";
  cv::imwrite(path, cv::Mat(1500, 2000, CV_8UC3, cv::Scalar::all(9)));
  at::set_num_threads(4);
  drain({{path}, small()});  // whatever LibTorch starts once
  const auto before = thread_count();
  const auto options = ImageStreamOptions().workers(3).batch_size(1);
  ImageStream stream(std::vector<std::string>(12, path), PreprocessOptions(), options);
  while (stream.next()) {
    EXPECT_LE(thread_count(), before + 3);
  }
  EXPECT_EQ(at::get_num_threads(), 4) << "the caller keeps its own";
}

TEST(ImageStream, RefusesStepsOfNoFiles) {
  EXPECT_THROW(ImageStream({}, small(), ImageStreamOptions().batch_size(0)), c10::ValueError);
}

}  // namespace
}  // namespace vitrine
