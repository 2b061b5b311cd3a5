#include "vitrine/data/sampler.h"

#include <torch/serialize.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <sstream>
#include <vector>

namespace vitrine {
namespace {

std::vector<std::size_t> draw_all(ShuffleSampler& sampler, std::size_t batch_size) {
  std::vector<std::size_t> all;
  while (const auto batch = sampler.next(batch_size)) {
    EXPECT_LE(batch->size(), batch_size);
    all.insert(all.end(), batch->begin(), batch->end());
  }
  return all;
}

TEST(ShuffleSampler, GivesEveryIndexOnce) {
  ShuffleSampler sampler(100, /*seed=*/1);
  auto order = draw_all(sampler, 32);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> expected(100);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  EXPECT_EQ(order, expected);
}

TEST(ShuffleSampler, FollowsFromSeedAndEpochAlone) {
  ShuffleSampler one(50, 7, 3);
  ShuffleSampler same(50, 7);
  draw_all(same, 8);
  same.set_epoch(3);
  same.reset();
  ShuffleSampler other_epoch(50, 7, 4);
  ShuffleSampler other_seed(50, 8, 3);
  const auto order = draw_all(one, 8);
  EXPECT_EQ(order, draw_all(same, 16));
  EXPECT_NE(order, draw_all(other_epoch, 8));
  EXPECT_NE(order, draw_all(other_seed, 8));
}

TEST(ShuffleSampler, KeepsTheOrderThatRunsWereMadeWith) {
  // Recorded: another order would change the outcome of every run begun before.
  ShuffleSampler sampler(8, 42, 1);
  const std::vector<std::size_t> expected = {5, 2, 6, 1, 0, 3, 7, 4};
  EXPECT_EQ(draw_all(sampler, 8), expected);
}

TEST(ShuffleSampler, GoesOnAfterItWasSavedAndLoaded) {
  ShuffleSampler sampler(20, 5, 2);
  sampler.next(7);
  torch::serialize::OutputArchive saved;
  sampler.save(saved);
  std::stringstream stream;
  saved.save_to(stream);
  torch::serialize::InputArchive loaded;
  loaded.load_from(stream);
  ShuffleSampler restored(1, 0);
  restored.load(loaded);
  EXPECT_EQ(draw_all(restored, 4), draw_all(sampler, 4));
}

TEST(ShuffleSampler, LeavesOutWhatIsSkipped) {
  ShuffleSampler whole(7, /*seed=*/1, /*epoch=*/2);
  const auto order = whole.next(7).value();
  ShuffleSampler rest(7, /*seed=*/1, /*epoch=*/2);
  rest.skip(4);
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_EQ(rest.next(7).value(), (std::vector<std::size_t>{order.begin() + 4, order.end()}));
    EXPECT_FALSE(rest.next(7));
    rest.reset();
  }
  rest.skip(9);
  EXPECT_FALSE(rest.next(1));
}

}  // namespace
}  // namespace vitrine
