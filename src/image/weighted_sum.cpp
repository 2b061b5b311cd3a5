#include "image/weighted_sum.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace vitrine::detail {
namespace {

constexpr int kLowBits = 12;
constexpr std::uint32_t kHalf = 1U << (kWeightBits - 1);

std::uint32_t pack(std::int32_t first, std::int32_t second) {
  return (static_cast<std::uint32_t>(first) & 0xffffU) | static_cast<std::uint32_t>(second) << 16;
}

/// The weight in place `i`, put together again.
std::uint32_t weight(const Taps& taps, std::int64_t i) {
  const Taps::Pair& pair = taps.pairs()[static_cast<std::size_t>(i / 2)];
  const unsigned shift = i % 2 == 0 ? 0 : 16;
  const auto high = static_cast<std::int16_t>(pair.high >> shift);
  return static_cast<std::uint32_t>(high) * (1U << kLowBits) + (pair.low >> shift & 0xffffU);
}

/// Sums are kept modulo 2^32, which the true sum fits as a signed number.
std::uint8_t round_to_byte(std::uint32_t sum) {
  const std::int32_t value = static_cast<std::int32_t>(sum) >> kWeightBits;
  return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

/// One column of `sum_rows`.
std::uint8_t sum_column(const std::uint8_t* column, std::int64_t stride, const Taps& taps) {
  std::uint32_t sum = kHalf;
  for (std::int64_t i = 0; i < taps.count(); ++i) {
    sum += column[i * stride] * weight(taps, i);
  }
  return round_to_byte(sum);
}

#if defined(__SSE2__)

struct Weights {
  __m128i low;
  __m128i high;

  explicit Weights(const Taps::Pair& pair)
      : low(_mm_set1_epi32(static_cast<int>(pair.low))),
        high(_mm_set1_epi32(static_cast<int>(pair.high))) {}
};

/// Four sums, kept apart by the parts of the weights until the end.
struct Sums {
  __m128i low = _mm_set1_epi32(static_cast<int>(kHalf));
  __m128i high = _mm_setzero_si128();

  /// Adds four pairs of neighbours, 16 bits each.
  void add(__m128i pairs, const Weights& weights) {
    low = _mm_add_epi32(low, _mm_madd_epi16(pairs, weights.low));
    high = _mm_add_epi32(high, _mm_madd_epi16(pairs, weights.high));
  }
  __m128i total() const {
    return _mm_srai_epi32(_mm_add_epi32(low, _mm_slli_epi32(high, kLowBits)), kWeightBits);
  }
};

void store4(std::uint8_t* to, __m128i sums) {
  const __m128i words = _mm_packs_epi32(sums, sums);
  const std::int32_t value = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  std::memcpy(to, &value, 4);
}

#endif

}  // namespace

Taps::Taps(std::int64_t first, const std::vector<std::int32_t>& weights)
    : first_(first), count_(static_cast<std::int64_t>(weights.size())) {
  pairs_.reserve((weights.size() + 1) / 2);
  for (std::size_t i = 0; i < weights.size(); i += 2) {
    const std::int32_t a = weights[i];
    const std::int32_t b = i + 1 < weights.size() ? weights[i + 1] : 0;
    constexpr std::int32_t kLowMask = (1 << kLowBits) - 1;
    pairs_.push_back(
        {pack(a & kLowMask, b & kLowMask),
         pack((a - (a & kLowMask)) / (1 << kLowBits), (b - (b & kLowMask)) / (1 << kLowBits))});
  }
}

#if defined(__SSE2__)

void sum_along_row(const std::uint8_t* row, const std::vector<Taps>& outputs, std::uint8_t* out) {
  const __m128i zero = _mm_setzero_si128();
  const std::size_t last = outputs.size() - 1;
  for (std::size_t x = 0; x <= last; ++x, out += 3) {
    const std::uint8_t* in = row + outputs[x].first() * 4;
    Sums sums;
    for (const Taps::Pair& pair : outputs[x].pairs()) {
      const __m128i pixels = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in));
      const __m128i pairs = _mm_unpacklo_epi8(pixels, _mm_srli_si128(pixels, 4));
      sums.add(_mm_unpacklo_epi8(pairs, zero), Weights(pair));
      in += 8;
    }
    if (x < last) {
      store4(out, sums.total());  // the fourth byte is overwritten by the next output
    } else {
      std::uint8_t bytes[4];
      store4(bytes, sums.total());
      std::copy_n(bytes, 3, out);
    }
  }
}

void sum_rows(
    const std::uint8_t* rows,
    std::int64_t stride,
    const Taps& taps,
    std::int64_t bytes,
    std::uint8_t* out) {
  const __m128i zero = _mm_setzero_si128();
  const std::int64_t count = taps.count();
  std::int64_t x = 0;
  for (; x + 16 <= bytes; x += 16) {
    Sums sums[4];
    for (std::int64_t i = 0; i < count; i += 2) {
      const std::uint8_t* row = rows + i * stride + x;
      const Weights weights(taps.pairs()[static_cast<std::size_t>(i / 2)]);
      const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
      const __m128i lower =
          i + 1 < count ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + stride)) : zero;
      const __m128i first = _mm_unpacklo_epi8(upper, lower);
      const __m128i second = _mm_unpackhi_epi8(upper, lower);
      sums[0].add(_mm_unpacklo_epi8(first, zero), weights);
      sums[1].add(_mm_unpackhi_epi8(first, zero), weights);
      sums[2].add(_mm_unpacklo_epi8(second, zero), weights);
      sums[3].add(_mm_unpackhi_epi8(second, zero), weights);
    }
    const __m128i words_0 = _mm_packs_epi32(sums[0].total(), sums[1].total());
    const __m128i words_1 = _mm_packs_epi32(sums[2].total(), sums[3].total());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x), _mm_packus_epi16(words_0, words_1));
  }
  for (; x < bytes; ++x) {
    out[x] = sum_column(rows + x, stride, taps);
  }
}

#else

void sum_along_row(const std::uint8_t* row, const std::vector<Taps>& outputs, std::uint8_t* out) {
  for (const Taps& taps : outputs) {
    const std::uint8_t* in = row + taps.first() * 4;
    for (std::int64_t channel = 0; channel < 3; ++channel) {
      *out++ = sum_column(in + channel, 4, taps);
    }
  }
}

void sum_rows(
    const std::uint8_t* rows,
    std::int64_t stride,
    const Taps& taps,
    std::int64_t bytes,
    std::uint8_t* out) {
  for (std::int64_t x = 0; x < bytes; ++x) {
    out[x] = sum_column(rows + x, stride, taps);
  }
}

#endif

}  // namespace vitrine::detail
