#include "vitrine/data/sampler.h"

#include <torch/serialize.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "golden_json.h"

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

TEST(RepeatedIndices, EqualThoseOfTimm) {
  const auto cases = augment_golden()["repeats"];
  ASSERT_EQ(cases.size(), 10U);
  for (const auto& one : cases) {
    const auto images = one[0].get<std::size_t>();
    auto indices = repeated_indices(one[4], one[1], one[2], one[3]);
    for (auto& index : indices) {
      index %= images;
    }
    EXPECT_EQ(indices, one[5].get<std::vector<std::size_t>>()) << one.dump().substr(0, 20);
  }
}

TEST(RepeatedIndices, TellRepetitionsApart) {
  EXPECT_EQ(repeated_indices({2, 0, 1}, 3), (std::vector<std::size_t>{2, 5, 8}));
  EXPECT_EQ(repeated_indices({2, 0, 1}, 1.5), (std::vector<std::size_t>{2, 5, 0}));
  EXPECT_EQ(repeated_indices({}, 3), std::vector<std::size_t>{});
  EXPECT_THROW(repeated_indices({0, 1}, 0.5), c10::ValueError);
  EXPECT_THROW(repeated_indices({0, 1}, 2, 2, 2), c10::ValueError);
}

TEST(ShuffleSampler, RepeatsTheFirstOfItsOrder) {
  ShuffleSampler plain(300, 7, 3);
  ShuffleSampler repeating(300, 7, 3, /*repeats=*/2);
  const auto order = draw_all(plain, 8);
  const auto repeated = draw_all(repeating, 8);
  EXPECT_EQ(repeated.size(), 256U);
  EXPECT_EQ(repeated.size(), examples_per_epoch(300, 2));
  EXPECT_EQ(examples_per_epoch(300, 0), 300U);
  for (std::size_t i = 0; i < repeated.size(); ++i) {
    EXPECT_EQ(repeated[i], order[i / 2] + (i % 2) * 300);
  }
}

}  // namespace
}  // namespace vitrine
