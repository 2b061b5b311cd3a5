#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "hostile_pth.h"
#include "pth_assembler.h"

namespace vitrine {

inline constexpr std::int64_t kLargest = 9223372036854775807;

/// A file with one storage of 8 floats, "0", and one value, "a".
inline std::string file_with(const std::string& value) {
  return torch_zip(pickle::dict({pickle::text("a"), value}), {{"0", std::string(32, 'x')}});
}

/// Expects that a file with this value is refused.
inline void expect_value_refused(const std::string& value, const std::string& cause) {
  expect_pth_refused(file_with(value), cause);
}

/// The tensor "a" of a file that is sound.
inline detail::TensorRef tensor_of(const std::string& value) {
  const auto bytes = file_with(value);
  const auto tree = find_state_dict(open_bytes(bytes));
  EXPECT_EQ(tree.tensors.size(), 1U);
  return tree.tensors.at(0).tensor;
}

}  // namespace vitrine
