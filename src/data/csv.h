#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::detail {

/// Reads CSV (RFC 4180) row by row: fields between commas, in double quotes where they hold commas,
/// quotes (doubled) or line breaks; lines end with LF or CRLF; empty lines are passed over.
class CsvReader {
 public:
  /// `place` names the text in messages; `text` has to outlive the reader.
  CsvReader(std::string_view text, std::string place);

  /// The fields of the next row; false after the last. Throws FileError where quotes are wrong.
  bool next(std::vector<std::string>& fields);
  /// The line, from 1, on which the last row began.
  std::size_t line() const { return row_line_; }

 private:
  std::string quoted();
  std::string plain();
  [[noreturn]] void fail(const std::string& what) const;

  std::string_view text_;
  std::string place_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t row_line_ = 0;
};

}  // namespace vitrine::detail
