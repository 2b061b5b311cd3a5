#include "table.h"

#include <algorithm>
#include <ostream>

namespace vitrine {

void print_columns(
    std::ostream& stream,
    const std::vector<std::vector<std::string>>& rows,
    const std::set<std::size_t>& right) {
  std::vector<std::size_t> widths(rows.empty() ? 0 : rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      line += i == 0 ? "" : "  ";
      line += right.count(i) != 0 ? blanks + row[i] : row[i] + blanks;
    }
    stream << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
}

}  // namespace vitrine
