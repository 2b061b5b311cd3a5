#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "data/csv.h"
#include "data/data_kinds.h"

namespace vitrine::detail {
namespace {

namespace fs = std::filesystem;

/// An image as a list has it.
struct Row {
  std::string file;
  std::string label;
  std::string split;  // may be empty
  std::size_t line = 0;
};

constexpr std::array<const char*, 3> kColumns = {"file", "label", "split"};
constexpr std::size_t kNeeded = 2;  // of the columns

std::string& column(Row& row, std::size_t index) {
  return index == 0 ? row.file : index == 1 ? row.label : row.split;
}

std::string at_line(const std::string& path, std::size_t line) {
  return printable(path) + ": line " + std::to_string(line);
}

using RowHandler = std::function<void(Row)>;

void read_csv(const std::string& path, std::string_view text, const RowHandler& handle) {
  CsvReader csv(text, printable(path));
  std::vector<std::string> header;
  csv.next(header);
  std::array<std::size_t, kColumns.size()> places{};
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const auto found = std::find(header.begin(), header.end(), kColumns[i]);
    places[i] = static_cast<std::size_t>(found - header.begin());
    if (std::count(header.begin(), header.end(), kColumns[i]) > 1) {
      throw FileError(
          at_line(path, csv.line()) + ": has two columns '" + kColumns[i] + "', expected one");
    }
    if (found == header.end() && i < kNeeded) {
      throw FileError(
          at_line(path, csv.line()) + ": has no column '" + kColumns[i] +
          "', expected a list of images: names of columns, such as file,label, or JSON lines");
    }
  }
  for (std::vector<std::string> fields; csv.next(fields);) {
    if (fields.size() != header.size()) {
      throw FileError(
          at_line(path, csv.line()) + ": has " + std::to_string(fields.size()) +
          " fields, expected " + std::to_string(header.size()) + " as on the first line");
    }
    Row row;
    row.line = csv.line();
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      if (places[i] < fields.size()) {
        column(row, i) = std::move(fields[places[i]]);
      }
    }
    handle(std::move(row));
  }
}

void read_json_lines(const std::string& path, std::string_view text, const RowHandler& handle) {
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    std::array<std::size_t, kColumns.size()> times{};
    const auto count = [&](int depth, nlohmann::json::parse_event_t event, const auto& value) {
      if (depth == 1 && event == nlohmann::json::parse_event_t::key) {
        const auto found = std::find(kColumns.begin(), kColumns.end(), value);
        if (found != kColumns.end()) {
          ++times[static_cast<std::size_t>(found - kColumns.begin())];
        }
      }
      return true;
    };
    const auto json = nlohmann::json::parse(line, count, /*allow_exceptions=*/false);
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      if (times[i] > 1) {
        throw FileError(at_line(path, number) + ": has '" + kColumns[i] + "' twice, expected once");
      }
    }
    if (!json.is_object()) {
      throw FileError(at_line(path, number) + ": expected a JSON object with 'file' and 'label'");
    }
    Row row;
    row.line = number;
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      const auto found = json.find(kColumns[i]);
      const bool present = found != json.end();
      if (present && found->is_string()) {
        column(row, i) = found->get<std::string>();
      } else if (present && i == 1 && found->is_number_unsigned()) {
        row.label = found->dump();
      } else if (present || i < kNeeded) {
        throw FileError(
            at_line(path, number) + ": expected '" + kColumns[i] + "' as a text in its object");
      }
    }
    handle(std::move(row));
  }
}

/// The rows of `path`, by part: that of their column, else `part`.
using Rows = std::map<std::string, std::vector<Row>>;

void read_rows(const std::string& path, const std::string& part, Rows& rows) {
  const auto bytes = read_file(path);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, 3) == "\xef\xbb\xbf") {
    text.remove_prefix(3);  // the byte order mark of some editors
  }
  const auto handle = [&](Row row) {
    for (std::size_t i = 0; i < kNeeded; ++i) {
      const auto& value = column(row, i);
      if (value.empty() || value.find('\0') != std::string::npos) {
        throw FileError(
            at_line(path, row.line) + ": its " + kColumns[i] +
            (value.empty() ? " is empty" : " holds a zero byte"));
      }
    }
    if (!row.split.empty() && row.split != "train" && row.split != "val") {
      throw FileError(
          at_line(path, row.line) + ": its split is '" + printable(row.split) +
          "', expected train or val");
    }
    check_class_name(row.label, at_line(path, row.line));
    row.file = (fs::path(path).parent_path() / row.file).string();
    auto& to = rows[row.split.empty() ? part : row.split];
    to.push_back(std::move(row));
  };
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    read_json_lines(path, text, handle);
  } else {
    read_csv(path, text, handle);
  }
  if (rows.size() > 1 && rows.count("") != 0) {
    throw FileError(
        at_line(path, rows[""].front().line) +
        ": has no split, expected train or val as elsewhere");
  }
}

ImageData make_data(Rows&& rows) {
  std::set<std::string> names;
  for (const auto& [part, list] : rows) {
    for (const auto& row : list) {
      names.insert(row.label);
    }
  }
  const auto classes = order_classes(names);
  std::map<std::string, int64_t> indices;
  for (const auto& name : classes) {
    indices.emplace(name, static_cast<int64_t>(indices.size()));
  }
  ImageData data;
  data.kind = "list";
  for (auto& [part, list] : rows) {
    auto& set = data.parts[part];
    set.classes = classes;
    for (auto& row : list) {
      set.samples.push_back({std::move(row.file), indices.at(row.label)});
    }
  }
  return data;
}

}  // namespace

ImageData read_image_list(const std::string& path) {
  Rows rows;
  read_rows(path, "", rows);
  if (rows.empty()) {
    throw FileError(printable(path) + ": lists no image");
  }
  return make_data(std::move(rows));
}

std::string list_mark(const std::string& folder) {
  for (const char* name : {"train.csv", "train.jsonl", "val.csv", "val.jsonl"}) {
    if (fs::is_regular_file(fs::path(folder) / name)) {
      return name;
    }
  }
  return "";
}

ImageData read_lists(const std::string& folder) {
  Rows rows;
  for (const std::string part : {"train", "val"}) {
    const auto csv = (fs::path(folder) / (part + ".csv")).string();
    const auto jsonl = (fs::path(folder) / (part + ".jsonl")).string();
    const bool has_csv = fs::is_regular_file(csv);
    if (has_csv && fs::is_regular_file(jsonl)) {
      throw FileError(
          printable(csv) + " and " + printable(jsonl) + " both list the images of " + part +
          ", expected one of them");
    }
    const auto& path = has_csv ? csv : jsonl;
    if (!fs::is_regular_file(path)) {
      continue;
    }
    read_rows(path, part, rows);
    if (rows.count(part) == 0) {
      throw FileError(printable(path) + ": lists no image");
    }
  }
  return make_data(std::move(rows));
}

}  // namespace vitrine::detail
