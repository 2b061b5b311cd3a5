#include "derived_shape.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vitrine::detail {
namespace {

using Shape = std::vector<std::int64_t>;

std::optional<Shape> concat_shape(const std::vector<Shape>& sources) {
  auto shape = sources[0];
  for (std::size_t i = 1; i < sources.size(); ++i) {
    const auto& other = sources[i];
    if (shape.empty() || other.size() != shape.size() ||
        !std::equal(shape.begin() + 1, shape.end(), other.begin() + 1) ||
        other[0] > std::numeric_limits<std::int64_t>::max() - shape[0]) {
      return std::nullopt;
    }
    shape[0] += other[0];
  }
  return shape;
}

std::optional<Shape> token_shape(Shape shape) {
  constexpr std::size_t kDimensions = 3;
  if (shape.empty() || shape.size() > kDimensions) {
    return std::nullopt;
  }
  shape.insert(shape.begin(), kDimensions - shape.size(), 1);
  return shape;
}

/// Side of square patches of `values` values in so many channels, or nothing.
std::optional<std::int64_t> patch_side(std::int64_t values, std::int64_t channels) {
  constexpr std::int64_t kMost = 1 << 24;  // whose root a double holds exactly
  if (values < channels || values > kMost || values % channels != 0) {
    return std::nullopt;
  }
  const auto area = values / channels;
  const auto side = std::llround(std::sqrt(static_cast<double>(area)));
  return side * side == area ? std::make_optional<std::int64_t>(side) : std::nullopt;
}

std::optional<Shape> kernel_shape(const std::vector<Shape>& sources) {
  const auto& rows = sources[0];
  if (rows.size() != 2 || (sources.size() > 1 && sources[1] != Shape{rows[1]})) {
    return std::nullopt;
  }
  // Colours before grey: no count of values is a square and three squares.
  for (const std::int64_t channels : {3, 1}) {
    if (const auto side = patch_side(rows[1], channels)) {
      return Shape{rows[0], channels, *side, *side};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Shape> derived_shape(Derivation derivation, const std::vector<Shape>& sources) {
  const auto& first = sources[0];
  switch (derivation) {
    case Derivation::Concat:
      return concat_shape(sources);
    case Derivation::AddToken: {
      const auto& tokens = sources[1];
      const bool fits = first.size() == 3 && first[0] == 1 && first[1] == 1 && tokens.size() == 3 &&
                        tokens[0] == 1 && tokens[1] > 0 && tokens[2] == first[2];
      return fits ? std::make_optional(first) : std::nullopt;
    }
    case Derivation::Token:
      return token_shape(first);
    case Derivation::Kernel:
      return kernel_shape(sources);
    case Derivation::AddProduct: {
      const auto& matrix = sources[1];
      const bool fits = first.size() == 1 && matrix.size() == 2 && matrix[0] == first[0] &&
                        sources[2] == Shape{matrix[1]};
      return fits ? std::make_optional(first) : std::nullopt;
    }
    case Derivation::Zeros:
      return first.empty() ? std::nullopt : std::make_optional(Shape{first[0]});
    default:
      return first;
  }
}

}  // namespace vitrine::detail
