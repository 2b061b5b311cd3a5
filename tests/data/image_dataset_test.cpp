#include "vitrine/data/image_dataset.h"

#include <torch/data.h>

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "vitrine/data/augment.h"
#include "vitrine/data/image_folder.h"
#include "vitrine/data/loader.h"
#include "vitrine/data/sampler.h"
#include "vitrine/error.h"

#include "support/drawn_data.h"
#include "support/temporary_folder.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

ImageDataset augmented(const std::vector<ImageSample>& samples, std::uint64_t seed) {
  const auto size = PreprocessOptions().height(8).width(8);
  const auto options = AugmentOptions()
                           .degrees(10)
                           .aa("rand-m9-mstd0.5-inc1-t3a")
                           .color_jitter({0.4})
                           .gaussian_blur_prob(0.5)
                           .erasing(RandomErasingOptions().mode(EraseMode::Pixel));
  return {samples, TrainTransform(options, size), seed};
}

TEST(ImageDataset, GivesImagesWithTheirClasses) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), /*classes=*/3, /*count=*/2);
  auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  EXPECT_EQ(data.size(), 6U);
  const auto example = data.get(5);
  EXPECT_EQ(example.data.sizes(), (std::vector<int64_t>{3, 8, 8}));
  EXPECT_EQ(example.target.item<int64_t>(), 2);
}

TEST(ImageDataset, GivesImagesAtOtherSizesWithTheSameVariation) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 2);
  auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  const auto own = data.get(3);
  EXPECT_TRUE(torch::equal(data.get(3, 0).data, own.data));
  EXPECT_VALUE_ERROR(data.get(3, 1), "scale has to be below");
  const auto drawn = [](const torch::Tensor&, at::Generator& generator) {
    return torch::rand({2}, generator);
  };
  data.set_scales({drawn, [&](const torch::Tensor& image, at::Generator& generator) {
                     return torch::cat({drawn(image, generator), torch::zeros(1)});
                   }});
  EXPECT_EQ(data.scales(), 2U);
  EXPECT_TRUE(torch::equal(data.get(3, 1).data.slice(0, 0, 2), data.get(3, 0).data));
  EXPECT_EQ(data.get(3, 1).target.item<int64_t>(), own.target.item<int64_t>());
  EXPECT_TRUE(torch::equal(data.get(3).data, own.data));
}

TEST(ImageDataset, VariesWithSeedEpochAndIndexAlone) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 2);
  const auto samples = scan_image_folder(folder.path()).samples;
  auto data = augmented(samples, 1);
  auto same = augmented(samples, 1);
  auto other = augmented(samples, 2);
  const auto first = data.get(0).data;
  data.get(3);
  EXPECT_TRUE(torch::equal(first, data.get(0).data));
  EXPECT_TRUE(torch::equal(first, same.get(0).data));
  EXPECT_FALSE(torch::equal(first, other.get(0).data));
  same.set_epoch(1);
  EXPECT_FALSE(torch::equal(first, same.get(0).data));
}

TEST(ImageDataset, VariesAnImageAgainForIndicesBeyondTheLast) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 2);
  auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  const auto first = data.get(3);
  const auto again = data.get(7);
  EXPECT_EQ(first.target.item<int64_t>(), 1);
  EXPECT_EQ(again.target.item<int64_t>(), 1);
  EXPECT_FALSE(torch::equal(first.data, again.data));
}

TEST(ImageDataset, GivesTheSameBatchesForAnyNumberOfWorkers) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 4, 10);
  const auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  const auto load = [&](int64_t workers) {
    BatchLoader loader(
        data, ShuffleSampler(40, 1, 1), LoaderOptions().batch_size(8).workers(workers));
    std::vector<torch::Tensor> batches;
    while (auto batch = loader.next()) {
      batches.push_back(batch->data);
    }
    return torch::cat(batches);
  };
  const auto alone = load(0);
  EXPECT_TRUE(torch::equal(load(1), alone));
  EXPECT_TRUE(torch::equal(load(4), alone));
}

TEST(ImageDataset, FeedsTorchsOwnDataLoader) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 5);
  auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  auto loader = torch::data::make_data_loader(
      data.map(torch::data::transforms::Stack<>()),
      ShuffleSampler(10, 1),
      torch::data::DataLoaderOptions(4).workers(2));
  std::vector<torch::Tensor> images;
  std::vector<torch::Tensor> targets;
  for (auto& batch : *loader) {
    images.push_back(batch.data);
    targets.push_back(batch.target);
  }
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[0].sizes(), (std::vector<int64_t>{4, 3, 8, 8}));
  EXPECT_EQ(images[2].sizes(), (std::vector<int64_t>{2, 3, 8, 8}));
  BatchLoader own(data, ShuffleSampler(10, 1), LoaderOptions().batch_size(10));
  const auto batch = own.next();
  EXPECT_TRUE(torch::equal(torch::cat(images), batch->data));
  EXPECT_TRUE(torch::equal(torch::cat(targets), batch->target));
}

TEST(ImageDataset, NamesAnImageThatCannotBeRead) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 4);
  const auto bad = folder / "class1/2.png";
  std::ofstream(bad) << "no image";
  const auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  for (const int64_t workers : {0, 3}) {
    BatchLoader loader(data, ShuffleSampler(8, 1), LoaderOptions().batch_size(2).workers(workers));
    try {
      while (loader.next()) {
      }
      FAIL() << "a text was read as an image";
    } catch (const ImageError& error) {
      EXPECT_EQ(std::string(error.what()).rfind(bad, 0), 0U) << error.what();
    }
  }
}

TEST(ImageDataset, ReplacesABadImageByTheNextOneThatCanBeRead) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 3);
  std::ofstream(folder / "class0/2.png") << "no image";
  std::ofstream(folder / "class1/0.png") << "no image";
  auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  std::vector<std::string> told;
  data.set_bad_images(BadImages::Replace, [&](const ImageSample& sample, const std::string& text) {
    EXPECT_EQ(text.rfind(sample.path + ": ", 0), 0U);
    told.push_back(sample_name(sample).substr(folder.path().size() + 1));
  });
  EXPECT_EQ(data.get(2).target.item<int64_t>(), 1);
  EXPECT_EQ(told, (std::vector<std::string>{"class0/2.png", "class1/0.png"}));
  EXPECT_EQ(data.get(1).target.item<int64_t>(), 0);
  EXPECT_EQ(told.size(), 2U);
}

TEST(ImageDataset, LeavesABadImageOutUnlessItsHandlerThrows) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 1);
  std::ofstream(folder / "class0/0.png") << "no image";
  auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  data.set_bad_images(BadImages::LeaveOut, {});
  const auto example = data.get(0);
  EXPECT_EQ(example.target.item<int64_t>(), -1);
  EXPECT_EQ(example.data.sizes(), (std::vector<int64_t>{3, 8, 8}));
  data.set_bad_images(
      BadImages::LeaveOut, [](const ImageSample&, const std::string&) { throw Error("too many"); });
  EXPECT_THROW(data.get(0), Error);
}

TEST(ImageDataset, SaysSoWhereNothingCanBeRead) {
  const TemporaryFolder folder;
  draw_class_folders(folder.path(), 2, 1);
  std::ofstream(folder / "class0/0.png") << "no image";
  std::ofstream(folder / "class1/0.png") << "no image";
  auto data = augmented(scan_image_folder(folder.path()).samples, 1);
  data.set_bad_images(BadImages::Replace, {});
  EXPECT_THROW(data.get(1), ImageError);
}

}  // namespace
}  // namespace vitrine
