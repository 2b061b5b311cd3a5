#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <ctime>
#include <malloc.h>
#include <string>

#include "cost.h"

namespace vitrine {

/// Runs `work` and expects it to take no more than 100 ms and 64 MB, as what refuses a file of 1 MB
/// must. Time is the processor's, which does not pass while other programs run.
template <typename Work>
void expect_cheap(const Work& work) {
  ::malloc_trim(0);  // what earlier calls left would be used again, uncounted
  std::clock_t clocks = 0;
  const auto cost = measure([&] {
    const auto start = std::clock();
    work();
    clocks = std::clock() - start;
  });
  if (!kSanitized) {
    EXPECT_LT(static_cast<double>(clocks) / CLOCKS_PER_SEC, 0.1);
    EXPECT_LT(cost.peak_bytes, 64 << 20);
  }
}

}  // namespace vitrine
