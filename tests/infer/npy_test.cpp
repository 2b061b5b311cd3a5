#include "vitrine/infer/npy.h"

#include <ATen/Functions.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"

#include "support/temporary_folder.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

std::string written(const torch::Tensor& tensor) {
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", tensor);
  const auto bytes = read_file(folder / "a.npy");
  return {bytes.begin(), bytes.end()};
}

/// What numpy.save (2.4.6) writes: the header's dict, padded to 128 bytes in all, and the values.
std::string numpy_file(const std::string& dict, const std::string& values) {
  auto file = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dict;
  file.resize(127, ' ');
  return file + '\n' + values;
}

TEST(Npy, WritesTheBytesThatNumpyWrites) {
  const auto matrix = torch::tensor({1.0F, -2.0F, 0.5F, 0.0F, 3.25F, -0.0F}).view({2, 3});
  const std::string values(
      "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f\x00\x00\x00\x00\x00\x00\x50\x40\x00\x00\x00"
      "\x80",
      24);
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  EXPECT_EQ(written(matrix), numpy_file(dict, values));
  EXPECT_EQ(written(matrix.t().contiguous().t()), numpy_file(dict, values)) << "any strides";
  EXPECT_EQ(
      written(torch::tensor({1.0F, 2.0F})),
      numpy_file(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
          std::string("\x00\x00\x80\x3f\x00\x00\x00\x40", 8)));
  EXPECT_EQ(
      written(torch::zeros({0, 5})),
      numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }", ""));
}

TEST(Npy, BeginsTheValuesAtAMultipleOf64Bytes) {
  for (int64_t dimensions = 0; dimensions < 40; ++dimensions) {
    const auto file = written(torch::ones(std::vector<int64_t>(dimensions, 1)));
    EXPECT_EQ(file.size() % 64, 4U) << dimensions;
    EXPECT_EQ(file[file.size() - 5], '\n') << dimensions;
  }
}

TEST(Npy, RefusesOtherTypesAndNamesWhatItCannotWrite) {
  EXPECT_VALUE_ERROR(write_npy("a.npy", torch::ones({2}, torch::kDouble)), "got Double");
  EXPECT_VALUE_ERROR(write_npy("a.npy", {}), "got none");
  const TemporaryFolder folder;
  EXPECT_THROW(write_npy(folder / "none/a.npy", torch::ones({2})), FileError);
}

}  // namespace
}  // namespace vitrine
