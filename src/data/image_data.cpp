#include "vitrine/data/image_data.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <utility>

#include "vitrine/data/random.h"
#include "vitrine/error.h"
#include "vitrine/text.h"

#include "data/data_kinds.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExpected =
    "expected train/ and val/, each with one folder a class, or class folders alone, train.csv or "
    "train.jsonl, the binary version of CIFAR-10 or CIFAR-100, or MNIST's IDX files";

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool has_folders(const fs::path& path) {
  return is_folder(path) &&
         std::any_of(fs::directory_iterator(path), fs::directory_iterator(), [](const auto& entry) {
           return entry.is_directory() && entry.path().filename().string().rfind('.', 0) != 0;
         });
}

ImageData list_folders(const std::string& path, const std::vector<std::string>& parts) {
  ImageData data;
  data.kind = "image folder";
  data.own_classes = true;
  for (const auto& part : parts) {
    const auto folder = part.empty() ? fs::path(path) : fs::path(path) / part;
    data.parts[part] = detail::list_class_folders(folder.string());
  }
  return data;
}

/// A kind of data that files tell.
struct Kind {
  std::string (*mark)(const std::string&);
  ImageData (*read)(const std::string&);
};

constexpr std::array<Kind, 3> kKinds = {
    Kind{detail::list_mark, detail::read_lists},
    Kind{detail::cifar_mark, detail::read_cifar},
    Kind{detail::idx_mark, detail::read_idx}};

[[noreturn]] void refuse_both(
    const std::string& path, const std::string& one, const std::string& other) {
  throw FileError(
      printable(path) + ": holds both " + printable(one) + " and " + printable(other) +
      ", each of which says what the images are; move one away, or name a list itself");
}

/// The kind of the files in `path`, or null. Throws FileError where there are several, or one
/// beside `filled`, a part with class folders: which is meant cannot be told.
const Kind* find_kind(const std::string& path, const std::string& filled) {
  auto first = filled.empty() ? "" : filled + "/";
  const Kind* result = nullptr;
  for (const auto& kind : kKinds) {
    const auto mark = kind.mark(path);
    if (!mark.empty() && !first.empty()) {
      refuse_both(path, first, mark);
    }
    if (!mark.empty()) {
      first = mark;
      result = &kind;
    }
  }
  return result;
}

/// Throws FileError where class folders with images lie in `path` beside files that say nothing of
/// them.
void check_no_class_folders(const std::string& path, const ImageData& data, const Kind& kind) {
  const auto prefix = (fs::path(path) / "").string();
  for (const auto& [part, set] : data.parts) {
    for (const auto& sample : set.samples) {
      const bool below = sample.path.rfind(prefix, 0) == 0;
      if (below && sample.path.find('/', prefix.size()) != std::string::npos) {
        return;  // a list of what the folders hold
      }
    }
  }
  const auto folders = detail::list_class_folders(path);
  if (!folders.samples.empty() && folders.samples.back().label != folders.samples.front().label) {
    const auto label = static_cast<std::size_t>(folders.samples.front().label);
    refuse_both(path, kind.mark(path), folders.classes[label] + "/");
  }
}

ImageData recognise(const std::string& path) {
  if (!fs::exists(path)) {
    throw FileError(printable(path) + ": no such folder or file");
  }
  if (!is_folder(path)) {
    return detail::read_image_list(path);
  }
  std::vector<std::string> parts;
  std::string filled;  // a part with class folders
  for (const char* part : {"train", "val"}) {
    if (is_folder(fs::path(path) / part)) {
      parts.emplace_back(part);
      filled = filled.empty() && has_folders(fs::path(path) / part) ? part : filled;
    }
  }
  const auto* kind = find_kind(path, filled);
  if (!filled.empty() || (kind == nullptr && parts.size() == 2)) {
    return list_folders(path, parts);
  }
  if (kind != nullptr) {
    auto data = kind->read(path);
    check_no_class_folders(path, data, *kind);
    return data;
  }
  if (!has_folders(path)) {
    throw FileError(printable(path) + ": holds no images that are known; " + kExpected);
  }
  return list_folders(path, {""});
}

/// How messages call a part.
std::string place_of(const std::string& path, const ImageData& data, const std::string& part) {
  return data.own_classes && !part.empty() ? (fs::path(path) / part).string() : path;
}

/// Throws where the classes of a part to train on, or of a folder, are not as one needs them.
void check_part(const std::string& path, const ImageData& data, const std::string& part) {
  const auto& set = data.parts.at(part);
  const auto place = place_of(path, data, part);
  if (set.classes.empty() && data.own_classes) {
    throw FileError(
        printable(place) + ": has no class folder, expected at least two (" + printable(place) +
        "/<class>/<image>)");
  }
  detail::check_classes(set, place, /*any_count=*/part == "val" && !data.own_classes);
}

std::string describe_extra(
    const std::vector<std::string>& a, const std::vector<std::string>& b, const std::string& name) {
  std::vector<std::string> extra;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(extra));
  if (extra.empty()) {
    return "";
  }
  constexpr std::size_t kMostNamed = 5;
  const auto count = extra.size();
  extra.resize(std::min(count, kMostNamed));
  std::transform(extra.begin(), extra.end(), extra.begin(), [](const std::string& text) {
    return printable(text);
  });
  const auto more = count - extra.size();
  return "; only in " + name + ": " + join(extra, ", ") +
         (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

/// Which samples are set apart. A class of one image keeps it.
std::vector<bool> draw_split(const ImageSet& set, double fraction, std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> by_class(set.classes.size());
  for (std::size_t i = 0; i < set.samples.size(); ++i) {
    by_class[static_cast<std::size_t>(set.samples[i].label)].push_back(i);
  }
  std::vector<bool> taken(set.samples.size());
  for (std::size_t label = 0; label < by_class.size(); ++label) {
    auto& places = by_class[label];
    const auto size = static_cast<int64_t>(places.size());
    const auto wanted = std::llrint(fraction * static_cast<double>(size));
    const auto count = std::min<int64_t>(std::max<int64_t>(wanted, 1), size - 1);
    auto generator = make_generator(mix_seed(seed, label, /*b=*/3));
    for (int64_t i = 0; i < count; ++i) {
      const auto chosen = static_cast<std::size_t>(i + draw_index(generator, size - i));
      std::swap(places[static_cast<std::size_t>(i)], places[chosen]);
      taken[places[static_cast<std::size_t>(i)]] = true;
    }
  }
  return taken;
}

ImageSplits split(
    const ImageSet& set, const std::string& place, double fraction, std::uint64_t seed) {
  const auto taken = draw_split(set, fraction, seed);
  ImageSplits splits{{set.classes, {}}, {set.classes, {}}};
  for (std::size_t i = 0; i < set.samples.size(); ++i) {
    (taken[i] ? splits.val : splits.train).samples.push_back(set.samples[i]);
  }
  if (splits.val.samples.empty()) {
    throw FileError(
        printable(place) + ": has one image of each class only, expected one more to judge by");
  }
  return splits;
}

}  // namespace

ImageData find_images(const std::string& path) {
  try {
    return recognise(path);
  } catch (const fs::filesystem_error& error) {
    throw FileError(printable(error.path1().string()) + ": cannot list: " + error.code().message());
  }
}

void detail::check_parts(const std::string& path, const ImageData& data) {
  for (const auto& [part, set] : data.parts) {
    check_part(path, data, part);
  }
  const auto train = data.parts.find("train");
  const auto val = data.parts.find("val");
  if (train != data.parts.end() && val != data.parts.end() &&
      train->second.classes != val->second.classes) {
    throw FileError(
        printable(path) + ": the classes of train/ and val/ differ" +
        describe_extra(train->second.classes, val->second.classes, "train/") +
        describe_extra(val->second.classes, train->second.classes, "val/"));
  }
}

ImageSplits scan_image_splits(const std::string& path, double val_fraction, std::uint64_t seed) {
  TORCH_CHECK_VALUE(
      val_fraction >= 0 && val_fraction < 1,
      "val_fraction has to be at least 0 and below 1, but got ",
      val_fraction);
  auto data = find_images(path);
  const std::string train = data.parts.count("") != 0 ? "" : "train";
  if (data.parts.count(train) == 0) {
    throw FileError(printable(path) + ": has no part to train on, but val alone");
  }
  const bool has_val = data.parts.count("val") != 0;
  if (has_val && val_fraction > 0) {
    throw FileError(
        printable(path) + ": has a part to judge by already; leave out the fraction to take from " +
        "the images to train on (--val-fraction)");
  }
  if (!has_val && val_fraction == 0) {
    throw FileError(
        printable(path) + ": has no part to judge by, expected train/ and val/ or their like; a " +
        "fraction of the images can be set apart for it (--val-fraction)");
  }
  detail::check_parts(path, data);
  auto& set = data.parts.at(train);
  auto splits = has_val ? ImageSplits{std::move(set), std::move(data.parts.at("val"))}
                        : split(set, place_of(path, data, train), val_fraction, seed);
  splits.class_folders = data.own_classes;
  return splits;
}

ImageSet scan_image_part(const std::string& path, const std::string& part) {
  auto data = find_images(path);
  const auto name = data.parts.count("") != 0 ? "" : part;
  if (data.parts.count(name) == 0) {
    throw FileError(
        printable(path) + ": has no part " + part + ", but " + data.parts.begin()->first +
        " alone");
  }
  check_part(path, data, name);
  return std::move(data.parts.at(name));
}

}  // namespace vitrine
