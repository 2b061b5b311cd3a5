#include "weights/finite_copy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace vitrine {
namespace {

using detail::Dtype;

template <typename Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  const auto size = numbers.size() * sizeof(Number);
  return size == 0 ? "" : std::string(reinterpret_cast<const char*>(numbers.data()), size);
}

bool finite(Dtype dtype, const std::string& bytes) {
  return detail::all_finite(dtype, bytes.data(), bytes.size());
}

/// Whether a number of 16 bits whose exponent is `exponent` is finite.
bool is_finite(std::uint16_t bits, std::uint16_t exponent) {
  return (bits & exponent) != exponent;
}

TEST(AllFinite, KnowsEveryNumberOf16Bits) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto number = static_cast<std::uint16_t>(bits);
    const auto bytes = bytes_of<std::uint16_t>({1, number, 2});
    ASSERT_EQ(finite(Dtype::F16, bytes), is_finite(number, 0x7C00)) << bits;
    ASSERT_EQ(finite(Dtype::BF16, bytes), is_finite(number, 0x7F80)) << bits;
    ASSERT_TRUE(finite(Dtype::I16, bytes)) << bits;
  }
}

TEST(AllFinite, KnowsEveryUpperHalfOfWiderNumbers) {
  for (std::uint32_t upper = 0; upper <= 0xFFFF; ++upper) {
    for (const std::uint64_t lower : {std::uint64_t{0}, std::uint64_t{0x0000FFFFFFFFFFFF}}) {
      const auto wide = std::uint64_t{upper} << 48 | lower;
      const auto narrow = static_cast<std::uint32_t>(wide >> 32);
      double number = 0;
      float single = 0;
      std::memcpy(&number, &wide, sizeof(number));
      std::memcpy(&single, &narrow, sizeof(single));
      ASSERT_EQ(finite(Dtype::F64, bytes_of<double>({1, number})), std::isfinite(number)) << upper;
      ASSERT_EQ(finite(Dtype::F32, bytes_of<float>({1, single})), std::isfinite(single)) << upper;
      ASSERT_EQ(finite(Dtype::C64, bytes_of<float>({single, 1})), std::isfinite(single)) << upper;
      ASSERT_TRUE(finite(Dtype::I64, bytes_of<double>({number})));
      ASSERT_TRUE(finite(Dtype::I32, bytes_of<float>({single})));
    }
  }
}

TEST(CopyFinite, FindsANumberAtAnyPlaceAndCopiesAll) {
  const auto bad = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t count = 0; count <= 70; ++count) {
    for (std::size_t place = 0; place <= count; ++place) {
      std::vector<float> numbers(count);
      for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = i == place ? bad : static_cast<float>(i);
      }
      const auto from = bytes_of(numbers);
      for (const std::size_t shift : {0, 4}) {  // to an aligned place, and to one that is not
        std::string to(from.size() + shift + 8, '\xA5');
        EXPECT_EQ(
            detail::copy_finite(Dtype::F32, from.data(), to.data() + shift, from.size()),
            place == count);
        EXPECT_EQ(to.substr(shift, from.size()), from);
        EXPECT_EQ(to.substr(shift + from.size()), std::string(8, '\xA5'));
      }
    }
  }
}

}  // namespace
}  // namespace vitrine
