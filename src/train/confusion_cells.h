#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace vitrine::detail {

/// Images of one class taken for one class.
struct ConfusionCell {
  int64_t target;
  int64_t predicted;
  int64_t images;  // above 0
};

/// The numbers of a `ConfusionMatrix::counts`, row by row.
std::vector<ConfusionCell> cells_of(const torch::Tensor& counts);

}  // namespace vitrine::detail
