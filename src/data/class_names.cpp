#include <algorithm>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "data/data_kinds.h"
#include "utf8.h"

namespace vitrine::detail {
namespace {

constexpr std::size_t kLargestNameList = std::size_t{16} << 20;

bool is_whole_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Digits without the zeros before them.
std::string significant(const std::string& number) {
  return number.substr(std::min(number.find_first_not_of('0'), number.size()));
}

}  // namespace

void check_class_name(const std::string& name, const std::string& place) {
  if (!is_utf8(name)) {
    throw FileError(place + ": the name of class '" + printable(name) + "' is not UTF-8");
  }
}

std::vector<std::string> order_classes(const std::set<std::string>& names) {
  std::vector<std::string> ordered(names.begin(), names.end());
  if (std::all_of(ordered.begin(), ordered.end(), is_whole_number)) {
    std::stable_sort(
        ordered.begin(), ordered.end(), [](const std::string& a, const std::string& b) {
          const auto x = significant(a);
          const auto y = significant(b);
          return x.size() != y.size() ? x.size() < y.size() : x < y;
        });
  }
  return ordered;
}

void check_classes(const ImageSet& set, const std::string& place, bool any_count) {
  if (set.classes.size() < 2) {
    const auto found = set.classes.empty()
                           ? "no class"
                           : "one class only ('" + printable(set.classes.front()) + "')";
    throw FileError(printable(place) + ": has " + found + ", expected at least two");
  }
  std::vector<bool> seen(set.classes.size());
  for (const auto& sample : set.samples) {
    seen[static_cast<std::size_t>(sample.label)] = true;
  }
  const auto empty = std::find(seen.begin(), seen.end(), false);
  if (!any_count && empty != seen.end()) {
    throw FileError(
        printable(place) + ": class '" +
        printable(set.classes[static_cast<std::size_t>(empty - seen.begin())]) +
        "' has no image (jpg, jpeg, png, webp, bmp, tif or tiff)");
  }
  if (set.samples.empty()) {
    throw FileError(printable(place) + ": has no image");
  }
}

std::vector<std::string> read_names(const std::string& path) {
  const auto bytes = read_file(path, kLargestNameList);
  std::vector<std::string> names;
  for (auto begin = bytes.begin(); begin != bytes.end();) {
    const auto end = std::find(begin, bytes.end(), '\n');
    auto& name = names.emplace_back(begin, end);
    if (!name.empty() && name.back() == '\r') {
      name.pop_back();
    }
    begin = end == bytes.end() ? end : end + 1;
  }
  while (!names.empty() && names.back().empty()) {
    names.pop_back();
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto place = printable(path) + ": line " + std::to_string(i + 1);
    if (names[i].empty()) {
      throw FileError(place + " is empty, expected the name of a class");
    }
    check_class_name(names[i], place);
    if (!seen.insert(names[i]).second) {
      throw FileError(place + " names '" + printable(names[i]) + "' again");
    }
  }
  if (names.empty()) {
    throw FileError(printable(path) + ": is empty, expected the name of a class a line");
  }
  return names;
}

}  // namespace vitrine::detail
