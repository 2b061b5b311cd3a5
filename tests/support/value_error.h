#pragma once

#include <c10/util/Exception.h>

#include <gtest/gtest.h>

#include <exception>
#include <string>

namespace vitrine {

/// Text of the c10::ValueError that `action` throws; if it throws none, what it did instead.
template <typename Action>
std::string value_error_of(const Action& action) {
  try {
    action();
  } catch (const c10::ValueError& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return std::string("[not a ValueError] ") + error.what();
  }
  return "[no error]";
}

}  // namespace vitrine

/// Expects `statement` to throw a c10::ValueError whose text, one line, contains `part`.
#define EXPECT_VALUE_ERROR(statement, part)                                  \
  do {                                                                       \
    const auto text = ::vitrine::value_error_of([&] { (void)(statement); }); \
    EXPECT_EQ(text.find("[no"), std::string::npos) << text;                  \
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;                   \
    EXPECT_PRED_FORMAT2(testing::IsSubstring, part, text);                   \
  } while (false)
