#include "data/csv.h"

#include <algorithm>
#include <utility>

#include "vitrine/error.h"

namespace vitrine::detail {

CsvReader::CsvReader(std::string_view text, std::string place)
    : text_(text), place_(std::move(place)) {}

bool CsvReader::next(std::vector<std::string>& fields) {
  fields.clear();
  while (position_ < text_.size() && (text_[position_] == '\n' || text_[position_] == '\r')) {
    line_ += text_[position_++] == '\n' ? 1 : 0;
  }
  row_line_ = line_;
  if (position_ == text_.size()) {
    return false;
  }
  while (true) {
    const bool in_quotes = position_ < text_.size() && text_[position_] == '"';
    fields.push_back(in_quotes ? quoted() : plain());
    if (position_ == text_.size() || text_[position_] == '\n') {
      return true;
    }
    ++position_;  // a comma
  }
}

std::string CsvReader::plain() {
  const auto end = std::min(text_.find_first_of(",\n", position_), text_.size());
  std::string field(text_.substr(position_, end - position_));
  position_ = end;
  const bool last = end == text_.size() || text_[end] == '\n';
  if (last && !field.empty() && field.back() == '\r') {
    field.pop_back();
  }
  if (field.find('"') != std::string::npos) {
    fail("a quote stands inside a field that does not begin with one");
  }
  return field;
}

std::string CsvReader::quoted() {
  std::string field;
  ++position_;
  while (true) {
    const auto quote = text_.find('"', position_);
    if (quote == std::string_view::npos) {
      fail("a quote is not closed");
    }
    const auto part = text_.substr(position_, quote - position_);
    field += part;
    line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
    position_ = quote + 1;
    if (position_ == text_.size() || text_[position_] != '"') {
      break;
    }
    field += '"';
    ++position_;
  }
  if (position_ < text_.size() && text_[position_] == '\r') {
    ++position_;
  }
  if (position_ < text_.size() && text_[position_] != ',' && text_[position_] != '\n') {
    fail("something stands behind a closing quote, expected a comma");
  }
  return field;
}

void CsvReader::fail(const std::string& what) const {
  throw FileError(place_ + ": line " + std::to_string(row_line_) + ": " + what);
}

}  // namespace vitrine::detail
