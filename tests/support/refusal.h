#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "vitrine/error.h"

#include "cost_limit.h"

namespace vitrine {

/// Expects that a message is one line of a bearable length that begins with `subject` and names one
/// of `causes`.
inline void expect_message(
    const std::string& message,
    const std::string& subject,
    const std::vector<std::string>& causes) {
  EXPECT_EQ(message.substr(0, subject.size()), subject) << "in: " << message;
  const auto is_named = [&](const std::string& cause) {
    return message.find(cause) != std::string::npos;
  };
  EXPECT_TRUE(std::any_of(causes.begin(), causes.end(), is_named))
      << "expected '" << causes.at(0) << "' in: " << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 1000U);
}

/// Expects `action`, which meets a hostile file, to throw `Failure` with such a message, within
/// 100 ms and 64 MB.
template <typename Failure = FileError, typename Action>
void expect_refusal(
    const Action& action, const std::string& subject, const std::vector<std::string>& causes) {
  std::string message = "nothing was thrown";
  expect_cheap([&] {
    try {
      action();
    } catch (const Failure& error) {
      message = error.what();
    }
  });
  expect_message(message, subject, causes);
}

}  // namespace vitrine
