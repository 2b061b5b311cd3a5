#pragma once

#include <torch/types.h>

#include <gtest/gtest.h>

#include "vitrine/models/classifier.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// Expects the same names in the same order, with the same values.
inline void expect_same_weights(const StateDict& found, const StateDict& expected) {
  ASSERT_EQ(found.keys(), expected.keys());
  for (const auto& item : expected) {
    EXPECT_TRUE(torch::equal(found[item.key()], item.value())) << item.key();
  }
}

inline void expect_same_weights(const Classifier& found, const Classifier& expected) {
  expect_same_weights(state_dict(found), state_dict(expected));
}

}  // namespace vitrine
