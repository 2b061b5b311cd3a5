#include "metrics_copies.h"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "event_file.h"

namespace vitrine::detail {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kEventsStart = "events.out.tfevents.";
constexpr std::string_view kEventsEnd = ".vitrine";

/// Fields of a line and the tags by which TensorBoard groups them.
constexpr std::array<std::pair<const char*, const char*>, 6> kTags = {{
    {"train_loss", "train/loss"},
    {"val_loss", "val/loss"},
    {"val_top1", "val/top1"},
    {"val_top5", "val/top5"},
    {"lr", "lr"},
    {"images_per_second", "images_per_second"},
}};

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// A number of a line; JSON has no NaN, and writes null instead.
double number(const OrderedJson& line, const char* name, double missing) {
  const auto found = line.find(name);
  return found != line.end() && found->is_number() ? found->get<double>() : missing;
}

std::string event_of(const std::string& text) {
  const auto line = OrderedJson::parse(text);
  std::vector<std::pair<std::string, double>> scalars;
  for (const auto& [name, tag] : kTags) {
    if (line.contains(name)) {
      scalars.emplace_back(tag, number(line, name, std::numeric_limits<double>::quiet_NaN()));
    }
  }
  return scalars_event(
      number(line, "time", now()), static_cast<std::int64_t>(number(line, "step", 0)), scalars);
}

/// A value as RFC 4180 has it; nothing for null.
std::string csv_cell(const OrderedJson& value) {
  if (value.is_null()) {
    return "";
  }
  auto text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return quoted + "\"";
}

void append_durably(const std::string& path, const std::string& text) {
  File file(path, File::Mode::Append);
  file.write(text);
  file.sync();
}

/// Removes the events that vitrine wrote into `folder`, but for the file at `kept`.
void remove_events(const std::string& folder, const std::string& kept) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (is_metrics_copy(name) && name != "metrics.csv" && it->path().string() != kept) {
      found.push_back(it->path());
    }
  }
  for (const auto& path : found) {
    fs::remove(path, error);
    // What stayed would show every epoch twice.
    if (error) {
      throw FileError(printable(path.string()) + ": cannot remove: " + error.message());
    }
  }
}

}  // namespace

MetricsCopies::MetricsCopies(std::string folder) : folder_(std::move(folder)) {}

void MetricsCopies::rewrite(const std::vector<std::string>& lines) {
  columns_.clear();
  std::string rows;
  auto events = version_event(
      lines.empty() ? now() : number(OrderedJson::parse(lines.front()), "time", now()));
  for (const auto& line : lines) {
    rows += csv_row(line);
    events += event_of(line);
  }
  events_path_ = folder_ + "/" + std::string(kEventsStart) +
                 std::to_string(static_cast<std::int64_t>(now())) + std::string(kEventsEnd);
  write_file_atomically(csv_path(), [&](File& file) { file.write(rows); });
  write_file_atomically(events_path_, [&](File& file) { file.write(events); });
  remove_events(folder_, events_path_);
}

void MetricsCopies::append(const std::string& line) {
  if (events_path_.empty()) {
    rewrite({});
  }
  append_durably(csv_path(), csv_row(line));
  append_durably(events_path_, event_of(line));
}

void MetricsCopies::clear() {
  remove_events(folder_, "");
  std::error_code error;
  fs::remove(csv_path(), error);
  if (error) {
    throw FileError(printable(csv_path()) + ": cannot remove: " + error.message());
  }
}

/// The row of `line`, below the names of the columns where it is the first one.
std::string MetricsCopies::csv_row(const std::string& text) {
  const auto line = OrderedJson::parse(text);
  std::vector<std::string> cells;
  std::string rows;
  if (columns_.empty()) {
    for (const auto& [name, value] : line.items()) {
      columns_.push_back(name);
      cells.push_back(csv_cell(name));
    }
    rows = join(cells, ",") + "\n";
    cells.clear();
  }
  for (const auto& name : columns_) {
    cells.push_back(line.contains(name) ? csv_cell(line[name]) : "");
  }
  return rows + join(cells, ",") + "\n";
}

bool is_metrics_copy(const std::string& name) {
  if (name == "metrics.csv") {
    return true;
  }
  if (name.size() <= kEventsStart.size() + kEventsEnd.size() || name.rfind(kEventsStart, 0) != 0 ||
      name.substr(name.size() - kEventsEnd.size()) != kEventsEnd) {
    return false;
  }
  const auto seconds =
      name.substr(kEventsStart.size(), name.size() - kEventsStart.size() - kEventsEnd.size());
  return seconds.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace vitrine::detail
