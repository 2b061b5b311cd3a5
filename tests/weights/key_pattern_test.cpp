#include "weights/key_pattern.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vitrine {
namespace {

TEST(KeyPattern, TakesNumbersAndARest) {
  const auto match = detail::match_key("encoder.layer_12.x.3.weight", "encoder.layer_{}.x.{}.*");
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->numbers, (std::vector<int>{12, 3}));
  EXPECT_EQ(match->rest, "weight");
  EXPECT_EQ(detail::fill_key("a.{1}.b.{0+1}.{0-1}.{1*2+1}.*", *match), "a.3.b.13.11.7.weight");
}

TEST(KeyPattern, ReadsWhatItWrites) {
  for (const auto* pattern : {"a.{1}.{0}", "a.{1+1}.{0-1}", "a.{0*2}.{1}", "a.{1*2+1}.{0*2}"}) {
    const auto key = detail::fill_key(pattern, {{3, 5}, {}});
    const auto match = detail::match_key(key, pattern);
    ASSERT_TRUE(match.has_value()) << key;
    EXPECT_EQ(match->numbers, (std::vector<int>{3, 5})) << key;
  }
  EXPECT_FALSE(detail::match_key("a.4", "a.{0*2+1}").has_value());
  EXPECT_FALSE(detail::match_key("a.5", "a.{0*2}").has_value());
  EXPECT_FALSE(detail::match_key("a.0", "a.{0+1}").has_value());
}

TEST(KeyPattern, MatchesTheWholeKeyAlone) {
  EXPECT_FALSE(detail::match_key("a.b", "a").has_value());
  EXPECT_FALSE(detail::match_key("a", "a.b").has_value());
  EXPECT_FALSE(detail::match_key("a.", "a.*").has_value());
  EXPECT_FALSE(detail::match_key("a.x", "a.{}").has_value());
  EXPECT_FALSE(detail::match_key("a.12345", "a.{}").has_value());
  EXPECT_FALSE(detail::match_key("a." + std::string(100'000, '9'), "a.{}").has_value());
  EXPECT_TRUE(detail::match_key("a.b", "a.b").has_value());
}

}  // namespace
}  // namespace vitrine
