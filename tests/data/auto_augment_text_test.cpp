#include "data/auto_augment_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "golden_json.h"

namespace vitrine::detail {
namespace {

void expect_step(const AugmentStep& step, const nlohmann::json& expected) {
  EXPECT_EQ(step.op->name, expected[0].get<std::string>());
  EXPECT_EQ(step.probability, expected[1].get<double>());
  EXPECT_EQ(step.level, expected[2].get<double>());
}

TEST(AugmentText, NamesThePoliciesOfTimm) {
  const auto policies = augment_golden()["policies"];
  for (const auto& [text, choices] : policies.items()) {
    SCOPED_TRACE(text);
    const auto policy = parse_augment_policy(text);
    EXPECT_EQ(policy.count, 1);
    EXPECT_TRUE(policy.weights.empty());
    ASSERT_EQ(policy.choices.size(), choices.size());
    for (std::size_t i = 0; i < choices.size(); ++i) {
      ASSERT_EQ(policy.choices[i].size(), choices[i].size());
      for (std::size_t k = 0; k < choices[i].size(); ++k) {
        expect_step(policy.choices[i][k], choices[i][k]);
      }
    }
  }
}

TEST(AugmentText, NamesTheSetsOfRandAugmentOfTimm) {
  const auto sets = augment_golden()["sets"];
  for (const auto& [text, expected] : sets.items()) {
    SCOPED_TRACE(text);
    const auto policy = parse_augment_policy(text);
    EXPECT_EQ(policy.count, expected["n"].get<int64_t>());
    EXPECT_EQ(policy.level_std, expected["mstd"].get<double>());
    EXPECT_EQ(policy.highest_level, expected["mmax"].get<double>());
    const auto& ops = expected["ops"];
    ASSERT_EQ(policy.choices.size(), ops.size());
    const auto sum = std::accumulate(policy.weights.begin(), policy.weights.end(), 0.0);
    for (std::size_t i = 0; i < ops.size(); ++i) {
      ASSERT_EQ(policy.choices[i].size(), 1U);
      expect_step(policy.choices[i][0], {ops[i][0], ops[i][2], ops[i][3]});
      EXPECT_NEAR(
          policy.weights.empty() ? 0 : policy.weights[i] / sum, ops[i][1].get<double>(), 1e-12);
    }
  }
}

TEST(AugmentText, TakesAVeryLargeDeviationForEvenLevels) {
  EXPECT_TRUE(std::isinf(parse_augment_policy("rand-m9-mstd101").level_std));
  EXPECT_EQ(parse_augment_policy("original-mstd0.5").level_std, 0.5);
}

TEST(AugmentText, NamesTheBinsOfTrivialAugment) {
  const auto policy = parse_augment_policy("ta_wide");
  EXPECT_EQ(policy.choices.size(), 14U);
  EXPECT_EQ(policy.count, 1);
  EXPECT_EQ(policy.bins, 31);
}

std::string expected_instead_of(const std::string& text) {
  try {
    parse_augment_policy(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(AugmentText, SaysWhichPartIsWrongAndWhatWasExpected) {
  EXPECT_EQ(
      expected_instead_of("rnd-m9"),
      "a policy rand, original, originalr, v0, v0r, 3a or ta_wide in place of 'rnd'; the nearest: "
      "rand");
  EXPECT_EQ(
      expected_instead_of("rand-m9-mst0.5"),
      "a section m, n, p, mstd, mmax, inc or t in place of 'mst0.5'; the nearest: mstd");
  EXPECT_EQ(
      expected_instead_of("rand-m9.5"), "m with a whole number from 0 to 1000 in place of 'm9.5'");
  EXPECT_EQ(
      expected_instead_of("rand-m9-inc"), "inc with a whole number from 0 to 1 in place of 'inc'");
  EXPECT_EQ(expected_instead_of("rand-p1.5"), "p with a number from 0 to 1 in place of 'p1.5'");
  EXPECT_EQ(
      expected_instead_of("rand-mstdx"),
      "a section m, n, p, mstd, mmax, inc or t in place of 'mstdx'; the nearest: mstd");
  EXPECT_EQ(
      expected_instead_of("rand-tweight"),
      "t with weights, 3a or 3aw in place of 'tweight'; the nearest: weights");
  EXPECT_EQ(expected_instead_of("rand-m9-m8"), "each section once in place of 'm8'");
  EXPECT_EQ(
      expected_instead_of("rand-n16-tweights"),
      "n of at most 15, the operations of tweights in place of 'n16'");
  EXPECT_EQ(expected_instead_of("v0-m9"), "a section mstd in place of 'm9'; the nearest: mstd");
  EXPECT_EQ(expected_instead_of("ta_wide-m9"), "nothing behind ta_wide in place of 'm9'");
  for (const auto* text :
       {"",
        "-",
        "rand-",
        "rand--m9",
        "rand-m",
        "rand-m-1",
        "rand-m1e9",
        "rand-pnan",
        "rand-mstd"}) {
    EXPECT_NE(expected_instead_of(text), "") << text;
  }
}

}  // namespace
}  // namespace vitrine::detail
