#include "vitrine/data/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "vitrine/error.h"
#include "vitrine/text.h"

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
  if (classes.size() < 2) {
    throw FileError(
        printable(root) + ": has " +
        (classes.empty() ? "no class folder"
                         : "one class folder only ('" + printable(classes.front()) + "')") +
        ", expected at least two (" + printable(root) + "/<class>/<image>)");
  }
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

ImageFolder scan(const std::string& root) {
  ImageFolder result;
  result.classes = find_classes(root);
  for (std::size_t i = 0; i < result.classes.size(); ++i) {
    auto images = find_images(fs::path(root) / result.classes[i]);
    if (images.empty()) {
      throw FileError(
          printable(root) + ": class '" + printable(result.classes[i]) +
          "' has no image (jpg, jpeg, png, webp, bmp, tif or tiff)");
    }
    for (auto& path : images) {
      result.samples.push_back({std::move(path), static_cast<int64_t>(i)});
    }
  }
  return result;
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

}  // namespace

ImageFolder scan_image_folder(const std::string& root) {
  try {
    return scan(root);
  } catch (const fs::filesystem_error& error) {
    throw FileError(printable(error.path1().string()) + ": cannot list: " + error.code().message());
  }
}

ImageSplits scan_image_splits(const std::string& root) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw FileError(printable(root) + ": no such folder, expected one with train/ and val/");
  }
  for (const auto* part : {"train", "val"}) {
    if (!fs::is_directory(fs::path(root) / part, ignored)) {
      throw FileError(
          printable(root) + ": has no folder " + part +
          "/, expected train/ and val/, each with one"
          " folder a class");
    }
  }
  ImageSplits splits{
      scan_image_folder((fs::path(root) / "train").string()),
      scan_image_folder((fs::path(root) / "val").string())};
  if (splits.train.classes != splits.val.classes) {
    throw FileError(
        printable(root) + ": the classes of train/ and val/ differ" +
        describe_extra(splits.train.classes, splits.val.classes, "train/") +
        describe_extra(splits.val.classes, splits.train.classes, "val/"));
  }
  return splits;
}

ImageFolder match_classes(
    ImageFolder folder,
    const std::vector<std::string>& labels,
    int64_t num_classes,
    const std::string& root) {
  const auto found = std::to_string(folder.classes.size());
  if (labels.empty()) {
    if (static_cast<int64_t>(folder.classes.size()) != num_classes) {
      throw FileError(
          printable(root) + ": has " + found + " classes, the model has " +
          std::to_string(num_classes));
    }
    return folder;
  }
  std::vector<int64_t> indices;
  std::vector<std::string> unknown;
  for (const auto& name : folder.classes) {
    const auto place = std::find(labels.begin(), labels.end(), name);
    indices.push_back(place - labels.begin());
    if (place == labels.end()) {
      unknown.push_back(printable(name));
    }
  }
  if (!unknown.empty()) {
    constexpr std::size_t kMostNamed = 5;
    const auto count = unknown.size();
    unknown.resize(std::min(count, kMostNamed));
    throw FileError(
        printable(root) + ": " + std::to_string(count) + " of " + found +
        " classes are unknown to the model: " + join(unknown, ", ") +
        (count > kMostNamed ? ", ..." : ""));
  }
  folder.classes = labels;
  for (auto& sample : folder.samples) {
    sample.label = indices[static_cast<std::size_t>(sample.label)];
  }
  return folder;
}

}  // namespace vitrine
