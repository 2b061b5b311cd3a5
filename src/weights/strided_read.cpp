#include "strided_read.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace vitrine::detail {
namespace {

constexpr std::uint64_t kBuffer = std::uint64_t{4} << 20;

/// A dimension: how many steps it has, and how long they are, in bytes.
struct Dimension {
  std::uint64_t size;
  std::uint64_t from;  // in the storage
  std::uint64_t to;    // in the result
};

/// The dimensions of more than one step, those of the longest steps in the storage first.
std::vector<Dimension> sorted_dimensions(const TensorRef& tensor) {
  std::vector<Dimension> dimensions;
  std::uint64_t item = dtype_bits(tensor.dtype) / 8;
  auto to = item;
  for (auto i = tensor.shape.size(); i > 0; --i) {
    const auto size = static_cast<std::uint64_t>(tensor.shape[i - 1]);
    if (size != 1) {
      dimensions.push_back({size, static_cast<std::uint64_t>(tensor.stride[i - 1]) * item, to});
    }
    to *= size;
  }
  std::stable_sort(dimensions.begin(), dimensions.end(), [](const auto& a, const auto& b) {
    return a.from > b.from;
  });
  return dimensions;
}

/// Takes the dimensions at the end away that lie alike in the storage and in the result; gives the
/// bytes of what is then moved as one.
std::uint64_t merge_last(std::vector<Dimension>& dimensions, std::uint64_t unit) {
  while (!dimensions.empty() && dimensions.back().from == unit && dimensions.back().to == unit) {
    unit *= dimensions.back().size;
    dimensions.pop_back();
  }
  return unit;
}

/// Bytes between the first and the last of the elements of `dimensions`, both included.
std::uint64_t span_of(const Dimension* begin, const Dimension* end, std::uint64_t unit) {
  auto span = unit;
  for (; begin != end; ++begin) {
    span += (begin->size - 1) * begin->from;
  }
  return span;
}

/// Calls `work(from, to)` for each step of all `dimensions`, the last of them running fastest.
template <typename Work>
void for_each_step(const Dimension* begin, const Dimension* end, const Work& work) {
  std::vector<std::uint64_t> steps(static_cast<std::size_t>(end - begin));
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  for (;;) {
    work(from, to);
    auto i = steps.size();
    for (; i > 0; --i) {
      const auto& dimension = begin[i - 1];
      if (++steps[i - 1] < dimension.size) {
        from += dimension.from;
        to += dimension.to;
        break;
      }
      steps[i - 1] = 0;
      from -= (dimension.size - 1) * dimension.from;
      to -= (dimension.size - 1) * dimension.to;
    }
    if (i == 0) {
      return;
    }
  }
}

/// Copies `count` runs of kUnit bytes; a length that the compiler knows makes each copy one move.
template <std::size_t kUnit>
void copy_runs(const char* from, char* to, const Dimension& dimension) {
  for (std::uint64_t i = 0; i < dimension.size; ++i) {
    std::memcpy(to + i * dimension.to, from + i * dimension.from, kUnit);
  }
}

void copy_runs(const char* from, char* to, const Dimension& dimension, std::uint64_t unit) {
  switch (unit) {
    case 1:
      return copy_runs<1>(from, to, dimension);
    case 2:
      return copy_runs<2>(from, to, dimension);
    case 4:
      return copy_runs<4>(from, to, dimension);
    case 8:
      return copy_runs<8>(from, to, dimension);
    default:
      for (std::uint64_t i = 0; i < dimension.size; ++i) {
        std::memcpy(to + i * dimension.to, from + i * dimension.from, unit);
      }
  }
}

/// Copies all elements of `dimensions` (at least one) from memory to memory.
void copy_strided(
    const char* from, char* to, const Dimension* begin, const Dimension* end, std::uint64_t unit) {
  const auto* last = end - 1;
  for_each_step(begin, last, [&](std::uint64_t from_step, std::uint64_t to_step) {
    copy_runs(from + from_step, to + to_step, *last, unit);
  });
}

/// How many dimensions, from the first on, are walked by reading anew at each step: as many as it
/// takes for the rest to fit into the buffer, but none whose steps overlap.
std::size_t count_outer(const std::vector<Dimension>& dimensions, std::uint64_t unit) {
  const auto* end = dimensions.data() + dimensions.size();
  std::size_t outer = 0;
  while (outer < dimensions.size()) {
    const auto* first = dimensions.data() + outer;
    if (span_of(first, end, unit) <= kBuffer || first->from < span_of(first + 1, end, unit)) {
      break;
    }
    ++outer;
  }
  return outer;
}

}  // namespace

void read_strided(const TensorRef& tensor, const ReadStorage& read, void* out) {
  auto dimensions = sorted_dimensions(tensor);
  const auto item = std::uint64_t{dtype_bits(tensor.dtype)} / 8;
  const auto unit = merge_last(dimensions, item);
  auto* target = static_cast<char*>(out);
  const auto start = tensor.offset * item;
  const auto outer = count_outer(dimensions, unit);

  // The innermost of the outer dimensions is cut into blocks of as many steps as the buffer holds.
  const auto* begin = dimensions.data();
  const auto* end = begin + dimensions.size();
  if (outer == 0) {
    std::vector<char> buffer(span_of(begin, end, unit));
    read(start, buffer.data(), buffer.size());
    if (begin == end) {
      std::memcpy(target, buffer.data(), buffer.size());
    } else {
      copy_strided(buffer.data(), target, begin, end, unit);
    }
    return;
  }
  const auto cut = dimensions[outer - 1];
  const auto rest = span_of(begin + outer, end, unit);
  const auto steps = rest < kBuffer ? 1 + (kBuffer - rest) / cut.from : 1;
  std::vector<char> buffer((std::min(steps, cut.size) - 1) * cut.from + rest);
  for_each_step(begin, begin + outer - 1, [&](std::uint64_t from, std::uint64_t to) {
    std::vector<Dimension> block(begin + outer - 1, end);
    for (std::uint64_t step = 0; step < cut.size; step += steps) {
      block[0].size = std::min(steps, cut.size - step);
      const auto span = (block[0].size - 1) * cut.from + rest;
      read(start + from + step * cut.from, buffer.data(), span);
      copy_strided(
          buffer.data(),
          target + to + step * cut.to,
          block.data(),
          block.data() + block.size(),
          unit);
    }
  });
}

}  // namespace vitrine::detail
