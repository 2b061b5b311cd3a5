#include <gtest/gtest.h>

#include <string>

#include "vitrine/data/image_data.h"
#include "vitrine/error.h"

#include "data/data_files.h"
#include "support/cost.h"
#include "support/file_error.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

using Names = std::vector<std::string>;

std::string find_error(const TemporaryFolder& folder) {
  return file_error_of([&] { find_images(folder.path()); });
}

/// CIFAR-10 whose second batch can be given; batches 3 to 5 have an image each.
void write_cifar(const TemporaryFolder& folder, const Bytes& second) {
  Bytes first;
  add_cifar_record(first, {2}, 0);
  add_cifar_record(first, {0}, 7);
  write_file(folder / "data_batch_1.bin", first);
  write_file(folder / "data_batch_2.bin", second);
  for (int number = 3; number <= 5; ++number) {
    Bytes batch;
    add_cifar_record(batch, {static_cast<std::uint8_t>(5 - number)}, number);
    write_file(folder / ("data_batch_" + std::to_string(number) + ".bin"), batch);
  }
  write_file(folder / "batches.meta.txt", "frog\nair plane\ncat\n\n");
}

TEST(Cifar, ReadsTheBatchesInOrder) {
  const TemporaryFolder folder;
  Bytes second;
  add_cifar_record(second, {1}, 20);
  write_cifar(folder, second);
  write_file(folder / "test_batch.bin", second);
  const auto data = find_images(folder.path());
  EXPECT_EQ(data.kind, "CIFAR-10");
  const auto& train = data.parts.at("train");
  EXPECT_EQ(train.classes, (Names{"frog", "air plane", "cat"}));
  EXPECT_EQ(labels_of(train), "2 0 1 2 1 0");
  EXPECT_EQ(labels_of(data.parts.at("val")), "1");
  EXPECT_EQ(sample_name(train.samples[1]), folder / "data_batch_1.bin#1");
  const auto image = read_image(train.samples[1]);  // its planes are 1024 bytes apart, 0 mod 256
  EXPECT_EQ(image.sizes(), (std::vector<int64_t>{32, 32, 3}));
  EXPECT_EQ(image[0][0].equal(torch::full({3}, 7, torch::kUInt8)), true);
  EXPECT_EQ(image[1][2][1].item<int>(), 7 + 34);
}

TEST(Cifar, TakesTheFiveBatchesOrNone) {
  const TemporaryFolder folder;
  Bytes batch;
  add_cifar_record(batch, {1}, 20);
  write_cifar(folder, batch);
  for (const auto* name : {"data_batch_1 (copy).bin", "data_batch_6.bin", "test_batch.bin"}) {
    write_file(folder / name, batch);
  }
  EXPECT_EQ(labels_of(find_images(folder.path()).parts.at("train")), "2 0 1 2 1 0");
  std::filesystem::remove(folder / "data_batch_3.bin");
  EXPECT_EQ(
      find_error(folder),
      folder.path() +
          ": has no data_batch_3.bin, expected data_batch_1.bin to data_batch_5.bin of CIFAR-10 in "
          "it");
  for (const auto* number : {"1", "2", "4", "5"}) {
    std::filesystem::remove(folder / (std::string("data_batch_") + number + ".bin"));
  }
  const auto parts = find_images(folder.path()).parts;
  EXPECT_EQ(parts.count("train"), 0U);
  EXPECT_EQ(labels_of(parts.at("val")), "1");
}

TEST(Cifar, TakesTheFineClassesOfTheHundred) {
  const TemporaryFolder folder;
  Bytes train;
  add_cifar_record(train, {9, 1}, 3);
  add_cifar_record(train, {8, 0}, 4);
  write_file(folder / "train.bin", train);
  write_file(folder / "test.bin", train);
  write_file(folder / "fine_label_names.txt", "apple\r\nbee\r\n");
  const auto data = find_images(folder.path());
  EXPECT_EQ(data.kind, "CIFAR-100");
  EXPECT_EQ(labels_of(data.parts.at("train")), "1 0");
  EXPECT_EQ(data.parts.at("val").classes, (Names{"apple", "bee"}));
  EXPECT_EQ(read_image(data.parts.at("val").samples[1])[0][0][2].item<int>(), 4);
}

TEST(Cifar, NamesTheRecordThatIsWrong) {
  const TemporaryFolder folder;
  Bytes second;
  add_cifar_record(second, {1}, 20);
  add_cifar_record(second, {3}, 20);
  write_cifar(folder, second);
  EXPECT_EQ(
      find_error(folder),
      folder /
          "data_batch_2.bin: record 1 is of class 3, expected at most 2, as "
          "batches.meta.txt names 3");
  second.resize(5000);
  write_file(folder / "data_batch_2.bin", second);
  EXPECT_EQ(
      find_error(folder),
      folder /
          "data_batch_2.bin: record 1 has 1927 bytes, expected 3073 of CIFAR-10; was the file "
          "cut short?");
  write_file(folder / "data_batch_2.bin", Bytes());
  EXPECT_NE(find_error(folder).find("record 0 has 0 bytes"), std::string::npos);
  std::filesystem::remove(folder / "batches.meta.txt");
  EXPECT_NE(find_error(folder).find("has no batches.meta.txt"), std::string::npos);
}

TEST(Cifar, SaysThatPicklesAreNotRead) {
  const TemporaryFolder folder;
  write_file(folder / "data_batch_1", "x");
  EXPECT_NE(find_error(folder).find("expected its binary version"), std::string::npos);
}

TEST(Idx, ReadsImagesAndLabelsCompressedOrNot) {
  const TemporaryFolder folder;
  write_file(folder / "train-images-idx3-ubyte", idx_images(3));
  write_file(folder / "train-labels-idx1-ubyte.gz", gzipped(idx_labels({2, 0, 1})));
  write_file(folder / "t10k-images.idx3-ubyte.gz", gzipped(idx_images(1)));
  write_file(folder / "t10k-labels.idx1-ubyte", idx_labels({1}));
  const auto data = find_images(folder.path());
  EXPECT_EQ(data.kind, "IDX");
  EXPECT_EQ(labels_of(data.parts.at("train")), "2 0 1");
  EXPECT_EQ(data.parts.at("val").classes, (Names{"0", "1", "2"}));
  const auto image = read_image(data.parts.at("train").samples[2]);
  EXPECT_EQ(image.sizes(), (std::vector<int64_t>{2, 3, 3}));
  EXPECT_EQ(image[1][0].equal(torch::full({3}, 15, torch::kUInt8)), true);
}

TEST(Idx, CallsClassesByTheirNamesOrFromTheLowestLabel) {
  const TemporaryFolder folder;
  write_file(folder / "emnist-letters-train-images-idx3-ubyte", idx_images(3));
  write_file(folder / "emnist-letters-train-labels-idx1-ubyte", idx_labels({3, 1, 2}));
  const auto numbered = find_images(folder.path()).parts.at("train");
  EXPECT_EQ(numbered.classes, (Names{"1", "2", "3"}));
  EXPECT_EQ(labels_of(numbered), "2 0 1");
  write_file(folder / "labels.txt", "-\nA\nB\nC\n");
  const auto named = find_images(folder.path()).parts.at("train");
  EXPECT_EQ(named.classes, (Names{"-", "A", "B", "C"}));
  EXPECT_EQ(labels_of(named), "3 1 2");
  write_file(folder / "labels.txt", "-\nA\nB\n");
  EXPECT_NE(
      find_error(folder).find("record 0 is of class 3, expected at most 2"), std::string::npos);
}

TEST(Idx, RefusesALabelThatLeavesAGap) {
  const TemporaryFolder folder;
  write_file(folder / "train-images-idx3-ubyte", idx_images(4));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels({0, 1, 0, 200}));
  EXPECT_NE(
      file_error_of([&] { scan_image_splits(folder.path(), 0.5); }).find("class '2' has no image"),
      std::string::npos);
}

TEST(Idx, SaysWhatIsWrongInOneLine) {
  const TemporaryFolder folder;
  const auto images = folder / "train-images-idx3-ubyte";
  const auto labels = folder / "train-labels-idx1-ubyte";
  const auto expect = [&](const std::string& message) { EXPECT_EQ(find_error(folder), message); };
  write_file(images, idx_images(3));
  EXPECT_NE(find_error(folder).find(images + ": has no labels beside it"), std::string::npos);
  write_file(labels, idx_labels({0, 1}));
  expect(labels + ": has 2 labels, expected one for each of the 3 images in " + images);
  auto bytes = idx_images(3);
  bytes.pop_back();
  write_file(images, bytes);
  expect(images + ": has 17 bytes of data, expected 3 x 2 x 3 as its header says");
  write_file(images, idx_file({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, Bytes(6)));
  expect(
      images +
      ": has 6 bytes of data, expected 4294967295 x 4294967295 x 4294967295 as its header says");
  write_file(images, idx_file({0, 2, 3}, {}));
  expect(images + ": has 0 bytes of data, expected 0 x 2 x 3 as its header says");
  write_file(images, idx_file({6}, Bytes(6)));
  EXPECT_NE(find_error(folder).find("does not begin as an IDX file"), std::string::npos);
  write_file(images, Bytes{0, 0});
  EXPECT_NE(find_error(folder).find("does not begin as an IDX file"), std::string::npos);
}

TEST(Idx, RefusesADamagedGzipFile) {
  const TemporaryFolder folder;
  const auto images = folder / "train-images-idx3-ubyte.gz";
  write_file(folder / "train-labels-idx1-ubyte", idx_labels({0, 1, 2}));
  const auto sound = gzipped(idx_images(3));
  auto cut = sound;
  cut.resize(cut.size() - 6);
  write_file(images, cut);
  EXPECT_NE(find_error(folder).find("cut short"), std::string::npos) << find_error(folder);
  auto flipped = sound;
  flipped[flipped.size() - 6] ^= 1U;  // of the checksum
  write_file(images, flipped);
  EXPECT_NE(find_error(folder).find("is damaged"), std::string::npos) << find_error(folder);
  auto longer = sound;
  longer.push_back(0);
  write_file(images, longer);
  EXPECT_NE(find_error(folder).find("1 bytes behind the end"), std::string::npos);
}

TEST(Idx, ReadsAGzipFileOfSeveralMembers) {
  const TemporaryFolder folder;
  const auto whole = idx_images(3);
  Bytes members;
  for (const auto& [begin, end] : {std::pair{0, 5}, std::pair{5, 5}, std::pair{5, 34}}) {
    const auto member = gzipped(Bytes(whole.begin() + begin, whole.begin() + end));
    members.insert(members.end(), member.begin(), member.end());
  }
  write_file(folder / "train-images-idx3-ubyte.gz", members);
  write_file(folder / "train-labels-idx1-ubyte", idx_labels({0, 1, 2}));
  const auto data = find_images(folder.path());
  const auto& samples = data.parts.at("train").samples;
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[2].packed->bytes, whole);
}

TEST(Idx, RefusesMoreImagesThanThereCanBe) {
  const TemporaryFolder folder;
  constexpr std::uint32_t kCount = 4'000'001;
  write_file(folder / "train-images-idx3-ubyte", idx_file({kCount, 1, 1}, Bytes(kCount)));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels(Bytes(kCount)));
  EXPECT_EQ(
      find_error(folder),
      (folder / "train-images-idx3-ubyte") + ": has 4000001 images, expected at most 4000000");
}

TEST(Idx, RefusesABombWithoutInflatingIt) {
  const TemporaryFolder folder;
  write_file(folder / "train-labels-idx1-ubyte", idx_labels({0}));
  write_file(
      folder / "train-images-idx3-ubyte.gz",
      gzipped(idx_file({1, 1 << 12, 1 << 13}, Bytes(std::size_t{1} << 25))));
  EXPECT_NE(find_error(folder).find("holds more than"), std::string::npos) << find_error(folder);
}

}  // namespace
}  // namespace vitrine
