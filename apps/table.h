#pragma once

#include <cstddef>
#include <iosfwd>
#include <set>
#include <string>
#include <vector>

namespace vitrine {

/// Prints rows of equal length in columns as wide as their widest cell; those in `right` (from 0)
/// end at the same place, the others begin there.
void print_columns(
    std::ostream& stream,
    const std::vector<std::vector<std::string>>& rows,
    const std::set<std::size_t>& right);

}  // namespace vitrine
