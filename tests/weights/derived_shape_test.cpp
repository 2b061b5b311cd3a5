#include "weights/derived_shape.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace vitrine {
namespace {

using detail::Derivation;
using detail::derived_shape;
using Shape = std::vector<std::int64_t>;

TEST(DerivedShape, OfAKernelFindsTheSideOfItsPatches) {
  const auto kernel = [](const std::vector<Shape>& sources) {
    return derived_shape(Derivation::Kernel, sources);
  };
  EXPECT_EQ(kernel({{8, 768}}), (Shape{8, 3, 16, 16}));
  EXPECT_EQ(kernel({{8, 3}}), (Shape{8, 3, 1, 1}));
  EXPECT_EQ(kernel({{8, 64}}), (Shape{8, 1, 8, 8}));
  EXPECT_EQ(kernel({{8, 768}, {768}}), (Shape{8, 3, 16, 16}));
  EXPECT_EQ(kernel({{8, 768}, {767}}), std::nullopt);
  EXPECT_EQ(kernel({{8, 768}, {1, 768}}), std::nullopt);
  for (const std::int64_t values : {std::int64_t{0}, std::int64_t{50}, INT64_MAX}) {
    EXPECT_EQ(kernel({{8, values}}), std::nullopt) << values;
  }
  EXPECT_EQ(kernel({{768}}), std::nullopt);
  EXPECT_EQ(kernel({{}}), std::nullopt);
}

TEST(DerivedShape, OfATokenHasThreeDimensions) {
  EXPECT_EQ(derived_shape(Derivation::Token, {{5}}), (Shape{1, 1, 5}));
  EXPECT_EQ(derived_shape(Derivation::Token, {{4, 5}}), (Shape{1, 4, 5}));
  EXPECT_EQ(derived_shape(Derivation::Token, {{1, 4, 5}}), (Shape{1, 4, 5}));
  EXPECT_EQ(derived_shape(Derivation::Token, {{1, 1, 4, 5}}), std::nullopt);
  EXPECT_EQ(derived_shape(Derivation::Token, {{}}), std::nullopt);
}

TEST(DerivedShape, OfASumTakesOnlyWhatCanBeAddedUp) {
  EXPECT_EQ(derived_shape(Derivation::AddProduct, {{4}, {4, 6}, {6}}), (Shape{4}));
  EXPECT_EQ(derived_shape(Derivation::AddProduct, {{4}, {4, 6}, {5}}), std::nullopt);
  EXPECT_EQ(derived_shape(Derivation::AddProduct, {{1}, {4, 6}, {6}}), std::nullopt);
  EXPECT_EQ(derived_shape(Derivation::AddProduct, {{4}, {4}, {6}}), std::nullopt);
  EXPECT_EQ(derived_shape(Derivation::AddToken, {{1, 1, 8}, {1, 5, 8}}), (Shape{1, 1, 8}));
  EXPECT_EQ(derived_shape(Derivation::AddToken, {{1, 1, 8}, {1, 5, 1}}), std::nullopt);
  EXPECT_EQ(derived_shape(Derivation::AddToken, {{1, 1, 8}, {7, 5, 8}}), std::nullopt);
  EXPECT_EQ(derived_shape(Derivation::AddToken, {{1, 1, 8}, {5}}), std::nullopt);
}

TEST(DerivedShape, OfZerosHasTheRowsAlone) {
  EXPECT_EQ(derived_shape(Derivation::Zeros, {{7, 3}}), (Shape{7}));
  EXPECT_EQ(derived_shape(Derivation::Zeros, {{}}), std::nullopt);
}

}  // namespace
}  // namespace vitrine
