#pragma once

#include <cstdint>
#include <optional>

#include "vitrine/models/model_options.h"

#include "load_source.h"
#include "zoo_fit.h"

// The windows of a Swin, which the shapes of its tensors do not tell.

namespace vitrine::detail {

/// Side of a window by the table of coordinates that Swin V2's own files hold, and its largest
/// value, which tells the window of the pretraining.
struct CoordinateTable {
  std::int64_t window = 0;
  double largest = 0;
};

/// The first such table of a file, if it has one.
std::optional<CoordinateTable> coordinate_table(const Source& source);

/// Whether a candidate is no Swin, or one whose windows are those of the table.
bool fits_table(const Candidate& candidate, const CoordinateTable& table);

/// Whether a candidate is no Swin, or one whose windows are those that the options name.
bool fits_windows(const Candidate& candidate, const ModelOptions& options);

/// Whether two candidates compute the same of the same tensors.
bool same_windows(const Candidate& a, const Candidate& b);

}  // namespace vitrine::detail
