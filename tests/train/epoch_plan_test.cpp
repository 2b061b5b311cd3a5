#include "vitrine/train/epoch_plan.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "support/value_error.h"

namespace vitrine {
namespace {

MultiScaleOptions scales(std::vector<int64_t> sides) {
  return MultiScaleOptions().sides(std::move(sides)).base_pixels(256 * 256);
}

EpochPlanOptions options() {
  return EpochPlanOptions().images(1030).batch_size(8).seed(3).multi_scale(
      scales({160, 192, 256, 288, 320}));
}

/// Images of each batch.
std::vector<std::size_t> counts(const std::vector<PlannedBatch>& plan) {
  std::vector<std::size_t> result;
  for (const auto& batch : plan) {
    result.push_back(batch.count);
  }
  return result;
}

TEST(EpochPlan, KeepsThePixelsOfABatch) {
  // b_t = 256 * 256 * 8 / side^2: the paper's 160, 192, 256, 288 and 320 about 256.
  const auto paper = scales({160, 192, 256, 288, 320});
  std::vector<int64_t> sizes;
  for (const auto side : paper.sides()) {
    sizes.push_back(scaled_batch_size(8, side, paper));
  }
  EXPECT_EQ(sizes, (std::vector<int64_t>{20, 14, 8, 6, 5}));
  EXPECT_EQ(scaled_batch_size(1, 320, paper), 1);
  const auto oblong = MultiScaleOptions().sides({32}).base_pixels(32 * 64);
  EXPECT_EQ(scaled_batch_size(8, 32, oblong), 16);
}

TEST(EpochPlan, TakesFullBatchesOfOneSizeOrAllImagesWhereThereAreFewer) {
  const auto plain = EpochPlanOptions().images(30).batch_size(8);
  EXPECT_EQ(counts(plan_epoch(plain)), (std::vector<std::size_t>{8, 8, 8}));
  EXPECT_EQ(
      counts(plan_epoch(EpochPlanOptions().images(5).batch_size(8))),
      (std::vector<std::size_t>{5}));
  const auto two = plan_epoch(EpochPlanOptions().images(30).batch_size(8).grad_accum_steps(2));
  ASSERT_EQ(two.size(), 3U);
  EXPECT_EQ(two[1].update, 0);
  EXPECT_EQ(two[1].part, 1);
  EXPECT_EQ(two[1].parts, 2);
  EXPECT_EQ(two[2].update, 1);
  EXPECT_EQ(two[2].parts, 1);
}

TEST(EpochPlan, TakesEveryImageOnceInBatchesOfTheirSizes) {
  for (const int64_t accumulated : {1, 3}) {
    SCOPED_TRACE(accumulated);
    const auto given = options().grad_accum_steps(accumulated);
    const auto plan = plan_epoch(given);
    std::size_t next = 0;
    std::set<std::size_t> drawn;
    for (const auto& batch : plan) {
      EXPECT_EQ(batch.first, next);
      next += batch.count;
      drawn.insert(batch.scale);
      const auto size = static_cast<std::size_t>(
          scaled_batch_size(8, given.multi_scale().sides()[batch.scale], given.multi_scale()));
      // The paper's, until less than two of the largest batches are left.
      if (next + 40 < 1024) {
        EXPECT_EQ(batch.count, size);
      }
      EXPECT_LE(batch.count, size);
      EXPECT_GE(batch.count, 2U);
    }
    EXPECT_EQ(next, 1024U);  // as with batches of 8
    EXPECT_EQ(drawn.size(), 5U);
  }
}

TEST(EpochPlan, DrawsOneSizeForAllBatchesOfAnUpdate) {
  const auto plan = plan_epoch(options().grad_accum_steps(3));
  for (std::size_t i = 1; i < plan.size(); ++i) {
    if (plan[i].part > 0) {
      EXPECT_EQ(plan[i].scale, plan[i - 1].scale);
      EXPECT_EQ(plan[i].update, plan[i - 1].update);
    } else {
      EXPECT_EQ(plan[i].update, plan[i - 1].update + 1);
    }
  }
}

TEST(EpochPlan, DependsOnSeedAndEpochAlone) {
  const auto expected = counts(plan_epoch(options()));
  EXPECT_EQ(counts(plan_epoch(options())), expected);
  EXPECT_NE(counts(plan_epoch(options().epoch(2))), expected);
  EXPECT_NE(counts(plan_epoch(options().seed(4))), expected);
}

TEST(EpochPlan, SharesWhatIsLeftAtTheEndAmongTwoBatches) {
  // 9 images of 32 x 32 in batches of 4 would leave one, on which a batch norm learns nothing.
  const auto one = MultiScaleOptions().sides({64}).base_pixels(32 * 32);
  const auto plan = plan_epoch(EpochPlanOptions().images(9).batch_size(16).multi_scale(one));
  EXPECT_EQ(counts(plan), (std::vector<std::size_t>{4, 3, 2}));
}

TEST(EpochPlan, RefusesSidesThatCannotBe) {
  EXPECT_VALUE_ERROR(check_options(scales({0})), "sides of multi_scale");
  EXPECT_VALUE_ERROR(check_options(scales({160, 9000})), "but got 9000");
  EXPECT_VALUE_ERROR(check_options(scales({160, 160})), "have to differ");
}

}  // namespace
}  // namespace vitrine
