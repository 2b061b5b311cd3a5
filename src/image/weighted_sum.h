#pragma once

#include <cstdint>
#include <vector>

namespace vitrine::detail {

/// Binary places of a weight: a sum of weights that is 1 times 255 leaves one bit for the sign.
constexpr int kWeightBits = 22;

/// The neighbouring inputs that make one output, and their weights times 2^22.
///
/// Each weight w is kept as w = high * 2^12 + low with 0 <= low < 2^12, so that both parts fit 16
/// bits, which every x86-64 processor multiplies and adds eight at a time.
class Taps {
 public:
  Taps(std::int64_t first, const std::vector<std::int32_t>& weights);

  std::int64_t first() const { return first_; }
  std::int64_t end() const { return first_ + count_; }
  std::int64_t count() const { return count_; }

  /// Parts of two neighbouring weights, the first in the lower half; an odd count ends with a zero.
  struct Pair {
    std::uint32_t low;
    std::uint32_t high;
  };
  const std::vector<Pair>& pairs() const { return pairs_; }

 private:
  std::int64_t first_;
  std::int64_t count_;
  std::vector<Pair> pairs_;
};

/// One row of outputs, three bytes each, from `row`, four bytes a pixel. Behind the last pixel that
/// counts there must be eight readable bytes.
void sum_along_row(const std::uint8_t* row, const std::vector<Taps>& outputs, std::uint8_t* out);

/// `bytes` bytes, each the weighted sum of those below one another in `taps.count()` rows from
/// `rows` on, which lie `stride` bytes apart.
void sum_rows(
    const std::uint8_t* rows,
    std::int64_t stride,
    const Taps& taps,
    std::int64_t bytes,
    std::uint8_t* out);

}  // namespace vitrine::detail
