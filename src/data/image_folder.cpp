#include "vitrine/data/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "vitrine/data/data_check.h"
#include "vitrine/error.h"
#include "vitrine/text.h"

#include "data/data_kinds.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

bool has_image_extension(const fs::path& path) {
  constexpr std::array<const char*, 7> kExtensions = {
      ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"};
  auto extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().rfind('.', 0) == 0;
}

std::vector<std::string> find_classes(const std::string& root) {
  if (!fs::exists(root)) {
    throw FileError(printable(root) + ": no such folder");
  }
  if (!fs::is_directory(root)) {
    throw FileError(printable(root) + ": is a file, expected a folder with one folder a class");
  }
  std::vector<std::string> classes;
  for (const auto& entry : fs::directory_iterator(root)) {
    std::error_code ignored;
    if (entry.is_directory(ignored) && !is_hidden(entry.path())) {
      classes.push_back(entry.path().filename().string());
    }
  }
  std::sort(classes.begin(), classes.end());
  for (const auto& name : classes) {
    detail::check_class_name(name, printable(root));
  }
  return classes;
}

/// Whether the folder `path` is one of those that it lies in, by a link.
bool leads_up(const fs::path& path) {
  const auto target = (fs::canonical(path) / "").string();
  const auto place = (fs::canonical(path.parent_path()) / "").string();
  return place.rfind(target, 0) == 0;
}

/// Files below a folder of a class, hidden ones left out.
struct ClassFiles {
  std::vector<std::string> images;  // by their names
  std::vector<std::string> others;
};

/// Adds the files below `folder`, less the folders that were `entered` before: links may lead to
/// each other, or to one place twice.
void add_class_files(const fs::path& folder, std::set<std::string>& entered, ClassFiles& files) {
  if (!entered.insert(fs::canonical(folder).string()).second) {
    return;
  }
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!is_hidden(entry.path())) {
      entries.push_back(entry.path());
    }
  }
  std::sort(entries.begin(), entries.end());
  for (const auto& path : entries) {
    std::error_code ignored;  // of a link to itself, which is then a broken image
    if (fs::is_directory(path, ignored)) {
      if (!leads_up(path)) {
        add_class_files(path, entered, files);
      }
    } else {
      (has_image_extension(path) ? files.images : files.others).push_back(path.string());
    }
  }
}

ClassFiles find_class_files(const fs::path& folder) {
  std::set<std::string> entered;
  ClassFiles files;
  add_class_files(folder, entered, files);
  std::sort(files.images.begin(), files.images.end());
  return files;
}

ImageSet scan(const std::string& root) {
  ImageSet result;
  result.classes = find_classes(root);
  for (std::size_t i = 0; i < result.classes.size(); ++i) {
    auto files = find_class_files(fs::path(root) / result.classes[i]);
    for (auto& path : files.images) {
      result.samples.push_back({std::move(path), static_cast<int64_t>(i)});
    }
  }
  return result;
}

/// Adds what `scan` passes over in `root`, whose class folders are `classes`.
void add_ignored(
    const fs::path& root,
    const std::vector<std::string>& classes,
    std::vector<std::string>& ignored) {
  for (const auto& entry : fs::directory_iterator(root)) {
    std::error_code unknown;
    if (!is_hidden(entry.path()) && has_image_extension(entry.path()) &&
        !entry.is_directory(unknown)) {
      ignored.push_back(entry.path().string());
    }
  }
  for (const auto& name : classes) {
    const auto others = find_class_files(root / name).others;
    ignored.insert(ignored.end(), others.begin(), others.end());
  }
}

/// What `list` gives, its faults as FileError.
template <typename List>
auto listing(const List& list) {
  try {
    return list();
  } catch (const fs::filesystem_error& error) {
    throw FileError(printable(error.path1().string()) + ": cannot list: " + error.code().message());
  }
}

}  // namespace

ImageSet detail::list_class_folders(const std::string& root) {
  return listing([&] { return scan(root); });
}

std::vector<std::string> ignored_files(const std::string& path, const ImageData& data) {
  return listing([&] {
    std::vector<std::string> ignored;
    for (const auto& [part, set] : data.parts) {
      if (data.own_classes) {
        add_ignored(part.empty() ? fs::path(path) : fs::path(path) / part, set.classes, ignored);
      }
    }
    std::sort(ignored.begin(), ignored.end());
    return ignored;
  });
}

ImageSet scan_image_folder(const std::string& root) {
  auto result = detail::list_class_folders(root);
  if (result.classes.empty()) {
    throw FileError(
        printable(root) + ": has no class folder, expected at least two (" + printable(root) +
        "/<class>/<image>)");
  }
  detail::check_classes(result, root, /*any_count=*/false);
  return result;
}

}  // namespace vitrine
