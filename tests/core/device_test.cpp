#include "vitrine/device.h"

#include <gtest/gtest.h>

#include "vitrine/error.h"

namespace vitrine {
namespace {

TEST(FindDevice, KnowsTheCpu) {
  EXPECT_EQ(find_device("cpu"), c10::Device(c10::kCPU));
}

TEST(FindDevice, TakesAGpuForAutoOnlyWhereThereIsOne) {
  const auto expected = enable_cuda() ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
  EXPECT_EQ(find_device("auto"), expected);
  EXPECT_EQ(cuda_problem().empty(), enable_cuda());
}

TEST(FindDevice, RefusesWhatIsNoDevice) {
  for (const auto* name : {"gpu", "", "cuda:", "cuda:x", "cuda:-1", "cuda:99999", "CPU"}) {
    EXPECT_THROW(find_device(name), Error) << name;
  }
  EXPECT_THROW(find_device("cuda:999"), Error);
}

}  // namespace
}  // namespace vitrine
