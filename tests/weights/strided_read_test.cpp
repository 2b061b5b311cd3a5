#include "weights/strided_read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace vitrine {
namespace {

using detail::Dtype;
using detail::TensorRef;

/// What was read of a storage.
struct Reads {
  std::uint64_t bytes = 0;
  std::uint64_t largest = 0;
  bool in_order = true;
};

/// The elements of `tensor`, taken one by one.
std::string expected(const TensorRef& tensor, const std::string& storage) {
  const auto item = dtype_bits(tensor.dtype) / 8;
  std::string result;
  std::vector<std::int64_t> index(tensor.shape.size());
  for (std::uint64_t n = 0; n < tensor.numel(); ++n) {
    auto place = tensor.offset;
    for (std::size_t i = 0; i < index.size(); ++i) {
      place += static_cast<std::uint64_t>(index[i] * tensor.stride[i]);
    }
    result += storage.substr(place * item, item);
    for (auto i = index.size(); i > 0 && ++index[i - 1] == tensor.shape[i - 1]; --i) {
      index[i - 1] = 0;
    }
  }
  return result;
}

std::string read(const TensorRef& tensor, const std::string& storage, Reads* reads = nullptr) {
  std::string result(tensor.size(), '\xA5');
  std::uint64_t end = 0;
  detail::read_strided(
      tensor,
      [&](std::uint64_t offset, void* data, std::size_t count) {
        ASSERT_LE(offset + count, storage.size());
        std::memcpy(data, storage.data() + offset, count);
        if (reads != nullptr) {
          reads->in_order = reads->in_order && offset >= end;
          reads->bytes += count;
          reads->largest = std::max<std::uint64_t>(reads->largest, count);
        }
        end = offset + count;
      },
      result.data());
  return result;
}

std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    byte = static_cast<char>(random());
  }
  return bytes;
}

TEST(StridedRead, TakesElementsInTheOrderOfTheTensor) {
  EXPECT_EQ(read({0, Dtype::U8, 0, {3, 2}, {1, 3}}, "abcdef"), "adbecf");
  EXPECT_EQ(read({0, Dtype::U8, 1, {2, 2}, {3, 1}}, "abcdef"), "bcef");
  EXPECT_EQ(read({0, Dtype::U8, 2, {2, 3}, {0, 0}}, "abcdef"), "cccccc");
  EXPECT_EQ(read({0, Dtype::I16, 0, {2}, {2}}, "abcdef"), "abef");
  EXPECT_EQ(read({0, Dtype::U8, 0, {3, 3}, {1, 1}}, "abcdef"), "abcbcdcde");
  EXPECT_EQ(read({0, Dtype::U8, 5, {}, {}}, "abcdef"), "f");
  EXPECT_EQ(read({0, Dtype::U8, 5, {1, 1}, {7, 9}}, "abcdef"), "f");
}

TEST(StridedRead, AgreesWithTakingElementsOneByOne) {
  const auto storage = noise(4096);
  std::mt19937 random(2);
  const auto below = [&](std::uint64_t limit) {
    return static_cast<std::int64_t>(random() % limit);
  };
  for (int i = 0; i < 2000; ++i) {
    TensorRef tensor;
    tensor.dtype = std::vector<Dtype>{Dtype::U8, Dtype::I16, Dtype::F32, Dtype::F64}[random() % 4];
    tensor.offset = static_cast<std::uint64_t>(below(8));
    for (auto rank = below(5); rank > 0; --rank) {
      tensor.shape.push_back(1 + below(4));
      tensor.stride.push_back(below(20));
    }
    ASSERT_EQ(read(tensor, storage), expected(tensor, storage)) << i;
  }
}

TEST(StridedRead, ReadsNothingTwiceAndLittleAtOnce) {
  const auto storage = noise(std::size_t{24} << 20);
  const std::vector<TensorRef> tensors = {
      {0, Dtype::F32, 0, {2000, 3000}, {1, 2000}},  // transposed
      {0, Dtype::F32, 5, {1500, 3}, {4000, 1}},     // a few columns of many
      {0, Dtype::F32, 0, {1000, 6}, {6001, 1}},     // rows apart
      {0, Dtype::U8, 3, {3, 2, 1000}, {8'000'000, 4'000'000, 3000}},
      {0, Dtype::U8, 0, {2, 3}, {0, 10'000'000}},  // repeated far apart
      {0, Dtype::F64, 0, {100, 5, 6000}, {1, 600'000, 100}},
  };
  for (const auto& tensor : tensors) {
    SCOPED_TRACE(tensor.shape[0]);
    Reads reads;
    EXPECT_TRUE(read(tensor, storage, &reads) == expected(tensor, storage));
    EXPECT_TRUE(reads.in_order);
    EXPECT_LE(reads.bytes, tensor.span() * dtype_bits(tensor.dtype) / 8);
    EXPECT_LE(reads.largest, std::uint64_t{4} << 20);
  }
}

TEST(StridedRead, ReadsOverlappingDimensionsAtOnce) {
  const auto storage = noise(std::size_t{12} << 20);
  const TensorRef windows{0, Dtype::U8, 0, {3, 10, 1'000'000}, {1'000'000, 100'000, 5}};
  Reads reads;
  EXPECT_TRUE(read(windows, storage, &reads) == expected(windows, storage));
  EXPECT_LE(reads.bytes, windows.span());
}

}  // namespace
}  // namespace vitrine
