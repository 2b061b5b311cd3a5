#include "vitrine/data/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <utility>

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
    if (entry.is_directory() && !is_hidden(entry.path())) {
      classes.push_back(entry.path().filename().string());
    }
  }
  std::sort(classes.begin(), classes.end());
  return classes;
}

/// Whether `path` is a link to one of the folders that it lies in.
bool is_loop(const fs::path& path) {
  if (!fs::is_symlink(path)) {
    return false;
  }
  const auto target = (fs::canonical(path) / "").string();
  const auto place = (fs::canonical(path.parent_path()) / "").string();
  return place.rfind(target, 0) == 0;
}

std::vector<std::string> find_images(const fs::path& folder) {
  std::vector<std::string> images;
  const auto follow = fs::directory_options::follow_directory_symlink;
  for (auto it = fs::recursive_directory_iterator(folder, follow);
       it != fs::recursive_directory_iterator();
       ++it) {
    constexpr int kDeepest = 32;  // links that lead to each other would never end
    if (it->is_directory()) {
      if (is_hidden(it->path()) || is_loop(it->path()) || it.depth() >= kDeepest) {
        it.disable_recursion_pending();
      }
    } else if (!is_hidden(it->path()) && has_image_extension(it->path())) {
      images.push_back(it->path().string());
    }
  }
  std::sort(images.begin(), images.end());
  return images;
}

ImageSet scan(const std::string& root) {
  ImageSet result;
  result.classes = find_classes(root);
  for (std::size_t i = 0; i < result.classes.size(); ++i) {
    for (auto& path : find_images(fs::path(root) / result.classes[i])) {
      result.samples.push_back({std::move(path), static_cast<int64_t>(i)});
    }
  }
  return result;
}

}  // namespace

ImageSet detail::list_class_folders(const std::string& root) {
  try {
    return scan(root);
  } catch (const fs::filesystem_error& error) {
    throw FileError(printable(error.path1().string()) + ": cannot list: " + error.code().message());
  }
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
