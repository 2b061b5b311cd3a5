#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>

#include "vitrine/export.h"

namespace vitrine {

/// A seed that depends on all of `seed`, `a` and `b`: neighbours give streams that have nothing in
/// common (the finaliser of SplitMix64, Steele et al. 2014).
VITRINE_API std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0);

/// A new generator on the CPU.
VITRINE_API at::Generator make_generator(std::uint64_t seed);

/// A number drawn evenly from [low, high); `low` where both are equal.
VITRINE_API double draw_uniform(at::Generator& generator, double low, double high);

/// A number drawn from the normal distribution of mean 0 and deviation 1.
VITRINE_API double draw_normal(at::Generator& generator);

/// An integer drawn evenly from 0 to `count` - 1; `count` is at least 1.
VITRINE_API int64_t draw_index(at::Generator& generator, int64_t count);

}  // namespace vitrine
