#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "vitrine/data/data_check.h"
#include "vitrine/text.h"

#include "commands.h"
#include "common_options.h"
#include "json_text.h"
#include "progress.h"
#include "stop_signals.h"
#include "table.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

using MissingClasses = std::map<std::string, std::vector<std::string>>;  // by part

const ImageSample& sample_at(const ImageData& data, const ImagePlace& place) {
  return data.parts.at(place.part).samples[place.index];
}

const std::string& class_of(const ImageData& data, const ImagePlace& place) {
  const auto& set = data.parts.at(place.part);
  return set.classes[static_cast<std::size_t>(sample_at(data, place).label)];
}

/// How a part is called where it may have no name.
std::string part_name(const std::string& part) {
  return part.empty() ? "all" : part;
}

bool differ_in_class(const ImageData& data, const std::vector<ImagePlace>& group) {
  return std::any_of(group.begin(), group.end(), [&](const ImagePlace& place) {
    return class_of(data, place) != class_of(data, group.front());
  });
}

int64_t count_leaks(const DataReport& report) {
  return std::count_if(report.duplicates.begin(), report.duplicates.end(), is_leak);
}

/// The first few of some names, and how many more there are.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMostNamed = 5;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    shown.push_back(printable(names[i], 4096));
  }
  const auto more = names.size() - shown.size();
  return join(shown, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

ordered_json to_json(const Spread& spread) {
  return {{"min", spread.least}, {"median", spread.median}, {"max", spread.most}};
}

ordered_json to_json(
    const ImageData& data,
    const DataReport& report,
    const std::vector<std::string>& errors,
    const MissingClasses& missing) {
  ordered_json json = {
      {"kind", data.kind},
      {"images", report.images},
      {"broken", ordered_json::array()},
      {"parts", ordered_json::array()},
      {"duplicates", ordered_json::array()},
      {"width", to_json(report.width)},
      {"height", to_json(report.height)},
      {"formats", report.formats},
      {"channels", ordered_json::object()}};
  for (std::size_t i = 0; i < report.broken.size(); ++i) {
    json["broken"].push_back(
        {{"file", sample_name(sample_at(data, report.broken[i]))}, {"error", errors[i]}});
  }
  for (const auto& [part, set] : data.parts) {
    ordered_json counts = ordered_json::array();
    for (std::size_t i = 0; i < set.classes.size(); ++i) {
      counts.push_back({{"label", set.classes[i]}, {"images", report.class_counts.at(part)[i]}});
    }
    const auto found = missing.find(part);
    json["parts"].push_back(
        {{"part", part_name(part)},
         {"images", set.samples.size()},
         {"classes", std::move(counts)},
         {"missing", found == missing.end() ? std::vector<std::string>() : found->second}});
  }
  for (const auto& group : report.duplicates) {
    ordered_json files = ordered_json::array();
    for (const auto& place : group) {
      files.push_back(
          {{"file", sample_name(sample_at(data, place))},
           {"part", part_name(place.part)},
           {"label", class_of(data, place)}});
    }
    json["duplicates"].push_back(
        {{"leak", is_leak(group)},
         {"classes_differ", differ_in_class(data, group)},
         {"images", std::move(files)}});
  }
  for (const auto& [channels, count] : report.channels) {
    json["channels"][std::to_string(channels)] = count;
  }
  return json;
}

std::string describe(const Spread& spread) {
  return std::to_string(spread.least) + " to " + std::to_string(spread.most) + ", median " +
         std::to_string(spread.median);
}

template <typename Counts>
std::string describe_counts(const Counts& counts, const std::string& unit) {
  std::vector<std::string> parts;
  for (const auto& [key, count] : counts) {
    std::string name;
    if constexpr (std::is_same_v<std::decay_t<decltype(key)>, std::string>) {
      name = key;
    } else {
      name = std::to_string(key) + unit;
    }
    parts.push_back(std::to_string(count) + " " + name);
  }
  return join(parts, ", ");
}

void print_classes(std::ostream& stream, const ImageData& data, const DataReport& report) {
  std::map<std::string, std::map<std::string, int64_t>> counts;  // by class, then by part
  std::vector<std::string> classes;
  for (const auto& [part, set] : data.parts) {
    for (std::size_t i = 0; i < set.classes.size(); ++i) {
      if (counts.count(set.classes[i]) == 0) {
        classes.push_back(set.classes[i]);
      }
      counts[set.classes[i]][part] = report.class_counts.at(part)[i];
    }
  }
  std::vector<std::vector<std::string>> rows(1);
  std::set<std::size_t> right;
  for (const auto& [part, set] : data.parts) {
    right.insert(rows[0].size());
    rows[0].push_back(part_name(part));
  }
  rows[0].emplace_back("class");
  for (const auto& name : classes) {
    auto& row = rows.emplace_back();
    for (const auto& [part, set] : data.parts) {
      row.push_back(std::to_string(counts[name][part]));
    }
    row.push_back(printable(name));
  }
  print_columns(stream, rows, right);
}

void print_duplicates(std::ostream& stream, const ImageData& data, const DataReport& report) {
  const auto& groups = report.duplicates;
  stream << "\nduplicates: " << groups.size() << " pictures are there more than once, "
         << count_leaks(report) << " of them in several parts\n";
  for (const auto& group : groups) {
    std::vector<std::string> names;
    for (const auto& place : group) {
      names.push_back(printable(sample_name(sample_at(data, place)), 4096));
    }
    stream << "  " << (is_leak(group) ? "leak: " : "")
           << (differ_in_class(data, group) ? "of several classes: " : "") << join(names, ", ")
           << '\n';
  }
}

void print_table(
    std::ostream& stream,
    const ImageData& data,
    const DataReport& report,
    const MissingClasses& missing,
    const std::vector<std::string>& ignored) {
  stream << data.kind << ": " << report.images << " images, " << report.broken.size() << " broken\n"
         << "width " << describe(report.width) << "; height " << describe(report.height) << '\n'
         << describe_counts(report.formats, "") << "; "
         << describe_counts(report.channels, "-channel") << "\n\n";
  print_classes(stream, data, report);
  for (const auto& [part, names] : missing) {
    std::vector<std::string> shown;
    for (const auto& name : names) {
      shown.push_back(printable(name));
    }
    stream << "\nclasses without an image in " << part_name(part) << ": " << join(shown, ", ")
           << '\n';
  }
  if (!ignored.empty()) {
    stream << "\nignored: " << ignored.size() << (ignored.size() == 1 ? " file" : " files")
           << " without an image's extension or beside the class folders: " << some_of(ignored)
           << '\n';
  }
  if (!report.duplicates.empty()) {
    print_duplicates(stream, data, report);
  }
}

/// Writes what is wrong with the data as a whole, each on a line of standard error; whether there
/// is anything.
bool tell_faults(
    const std::string& path,
    const ImageData& data,
    const DataReport& report,
    const MissingClasses& missing) {
  const auto fault = class_fault(path, data);
  if (fault) {
    std::cerr << "vitrine: " << *fault << '\n';
  }
  for (const auto& [part, names] : missing) {
    std::cerr << "vitrine: " << printable(path) << ": has no image that can be read of "
              << names.size() << (names.size() == 1 ? " class" : " classes")
              << (part.empty() ? "" : " in " + part) << ": " << some_of(names) << '\n';
  }
  const auto leaks = count_leaks(report);
  if (leaks > 0) {
    std::cerr << "vitrine: " << printable(path) << ": " << leaks
              << (leaks == 1 ? " picture is" : " pictures are")
              << " in several parts, so that a model is judged by what it was trained on\n";
  }
  return fault || !missing.empty() || leaks > 0;
}

int run_check_data(const Arguments& arguments) {
  const auto& path = arguments.operands()[0];
  const auto data = find_images(path);
  int64_t total = 0;
  for (const auto& [part, set] : data.parts) {
    total += static_cast<int64_t>(set.samples.size());
  }
  catch_stop_signals();
  Progress progress(
      std::cerr, standard_error_progress(arguments.flag("quiet")), "check-data", total, "images");
  std::vector<std::string> errors;
  DataCheckEvents events;
  events.broken = [&](const ImagePlace&, const std::string& error) {
    errors.push_back(error.substr(0, error.find('\n')));
    progress.line("vitrine: " + errors.back());
  };
  events.progress = [&](int64_t done, int64_t) {
    progress.update(done);
    return stop_signal() == 0;
  };
  const auto report = check_images(data, arguments.whole("workers"), events);
  progress.hide();
  if (!report) {
    return 128 + stop_signal();
  }
  const auto missing = missing_classes(data, *report);
  const auto ignored = ignored_files(path, data);
  if (arguments.text("format") == "json") {
    auto json = to_json(data, *report, errors, missing);
    json["ignored"] = ignored;
    std::cout << to_line(json) << '\n';
  } else {
    print_table(std::cout, data, *report, missing, ignored);
  }
  const bool faulty = tell_faults(path, data, *report, missing);
  return faulty || !report->broken.empty() ? 1 : 0;
}

}  // namespace

Command check_data_command() {
  CommandSpec spec;
  spec.name = "check-data";
  spec.summary = "decode every image of a data set and tell what is wrong";
  spec.operands = "DATA";
  spec.least_operands = 1;
  spec.most_operands = 1;
  spec.description =
      "DATA is as for 'train'. Names every image that cannot be read on a line of standard\n"
      "error, and prints classes with their numbers of images, sizes, formats, classes without an\n"
      "image, files of an image folder that 'train' passes over, and pictures that are there more\n"
      "than once, to the last pixel: within a part, or in several parts, which would let a model\n"
      "be judged by what it was trained on. Status 1 where an image is broken, a part has no\n"
      "image of a class, the classes are not as 'train' needs them, or a picture is in several\n"
      "parts, with a line on standard error for each of these.";
  spec.groups = {
      {"Check",
       {choice_option("format", {"table", "json"}, "how the result is printed", "table"),
        workers_option(/*least=*/1),
        quiet_option()}}};
  spec.examples = {
      "vitrine check-data flowers", "vitrine check-data cifar-10-batches-bin --format json"};
  return {spec, run_check_data};
}

}  // namespace vitrine
