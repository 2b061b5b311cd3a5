#include "vitrine/data/image_set.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "vitrine/error.h"

#include "support/file_error.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

TEST(ReadImage, TakesAPackedImageApartPlaneByPlane) {
  auto packed = std::make_shared<PackedImages>();
  // Two records of a label and the planes of 1x2 pixels.
  packed->bytes = {9, 1, 2, 3, 4, 5, 6, 9, 11, 12, 13, 14, 15, 16};
  packed->offset = 1;
  packed->stride = 7;
  packed->channels = 3;
  packed->height = 1;
  packed->width = 2;
  const ImageSample sample{"batch.bin", 0, packed, 1};
  const auto image = read_image(sample);
  EXPECT_TRUE(
      torch::equal(image, torch::tensor({11, 13, 15, 12, 14, 16}, torch::kUInt8).view({1, 2, 3})));
  EXPECT_EQ(sample_name(sample), "batch.bin#1");
  EXPECT_EQ(sample_name({"a.png", 0}), "a.png");
}

TEST(MatchClasses, TakesTheIndicesOfTheModel) {
  const ImageSet set{{"a", "c"}, {{"a/1.png", 0}, {"c/1.png", 1}}};
  const auto matched = match_classes(set, {"c", "b", "a"}, 3, "data");
  EXPECT_EQ(matched.samples[0].label, 2);
  EXPECT_EQ(matched.samples[1].label, 0);
  EXPECT_EQ(match_classes(set, {}, 2, "data").samples[1].label, 1);
}

TEST(MatchClasses, NamesClassesThatTheModelDoesNotHave) {
  const ImageSet set{{"a", "c"}, {}};
  EXPECT_EQ(
      file_error_of([&] {
        match_classes(set, {"a", "b"}, 2, "data");
      }),
      "data: 1 of 2 classes are unknown to the model: c");
  EXPECT_EQ(
      file_error_of([&] { match_classes(set, {}, 3, "data"); }),
      "data: has 2 classes, the model has 3");
}

}  // namespace
}  // namespace vitrine
