#include "vitrine/data/random.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <limits>
#include <mutex>

namespace vitrine {
namespace {

std::uint64_t finalize(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

std::uint64_t draw_bits(at::Generator& generator) {
  auto* const implementation = at::check_generator<at::CPUGeneratorImpl>(generator);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return implementation->random64();
}

}  // namespace

std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  return finalize(finalize(finalize(seed) ^ a) ^ b);
}

at::Generator make_generator(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

double draw_uniform(at::Generator& generator, double low, double high) {
  // 53 bits: every double in [0, 1) that is a multiple of 2^-53 is as likely as any other.
  const double unit = static_cast<double>(draw_bits(generator) >> 11) * 0x1p-53;
  return low + (high - low) * unit;
}

double draw_normal(at::Generator& generator) {
  constexpr double kTurn = 6.283185307179586;
  // Box and Muller's transform; the logarithm is of a number above 0.
  const double radius = std::sqrt(-2 * std::log(1 - draw_uniform(generator, 0, 1)));
  return radius * std::cos(draw_uniform(generator, 0, kTurn));
}

int64_t draw_index(at::Generator& generator, int64_t count) {
  TORCH_CHECK_VALUE(count > 0, "count of a random index has to be at least 1, but got ", count);
  const auto n = static_cast<std::uint64_t>(count);
  // Values beyond the last whole multiple of n would favour the small indices; they are drawn
  // again.
  const auto end = std::numeric_limits<std::uint64_t>::max() / n * n;
  auto bits = draw_bits(generator);
  while (bits >= end) {
    bits = draw_bits(generator);
  }
  return static_cast<int64_t>(bits % n);
}

}  // namespace vitrine
