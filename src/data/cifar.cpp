// The binary versions of CIFAR-10 and CIFAR-100: https://www.cs.toronto.edu/~kriz/cifar.html.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "data/data_kinds.h"

namespace vitrine::detail {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 32;
constexpr std::size_t kPixels = 3 * kSide * kSide;
constexpr std::array<const char*, 5> kBatches = {
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin"};

/// One of the two versions. A record is its labels, one byte each, of which the last one counts,
/// then red, green and blue.
struct Version {
  const char* kind;
  const char* names;
  std::size_t labels;  // of a record
};

void add_file(
    ImageSet& set, const std::string& path, const Version& version, const std::string& names) {
  auto packed = std::make_shared<PackedImages>();
  packed->bytes = read_file(path);
  packed->offset = version.labels;
  packed->stride = version.labels + kPixels;
  packed->channels = 3;
  packed->height = kSide;
  packed->width = kSide;
  const auto& bytes = packed->bytes;
  const auto count = bytes.size() / packed->stride;
  if (bytes.empty() || bytes.size() % packed->stride != 0) {
    throw FileError(
        printable(path) + ": record " + std::to_string(count) + " has " +
        std::to_string(bytes.size() % packed->stride) + " bytes, expected " +
        std::to_string(packed->stride) + " of " + version.kind + "; was the file cut short?");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = bytes[i * packed->stride + version.labels - 1];
    if (label >= set.classes.size()) {
      throw FileError(
          printable(path) + ": record " + std::to_string(i) + " is of class " +
          std::to_string(label) + ", expected at most " + std::to_string(set.classes.size() - 1) +
          ", as " + names + " names " + std::to_string(set.classes.size()));
    }
    set.samples.push_back({path, label, packed, static_cast<int64_t>(i)});
  }
}

using PartFiles = std::vector<std::pair<std::string, std::string>>;  // part and name

/// The files in a folder that the two versions have, sorted.
struct Files {
  PartFiles ten;
  PartFiles hundred;
};

Files list_files(const std::string& folder) {
  Files files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (std::find(kBatches.begin(), kBatches.end(), name) != kBatches.end()) {
      files.ten.emplace_back("train", name);
    } else if (name == "test_batch.bin") {
      files.ten.emplace_back("val", name);
    } else if (name == "train.bin") {
      files.hundred.emplace_back("train", name);
    } else if (name == "test.bin") {
      files.hundred.emplace_back("val", name);
    } else if (name == "data_batch_1") {
      throw FileError(
          printable(folder) +
          ": holds CIFAR-10 as Python's pickles, expected its binary version (data_batch_1.bin)");
    }
  }
  std::sort(files.ten.begin(), files.ten.end());
  std::sort(files.hundred.begin(), files.hundred.end());
  return files;
}

/// Throws FileError where `folder` has some of the batches of CIFAR-10 to train on, but not all.
void check_batches(const std::string& folder, const PartFiles& files) {
  std::vector<std::string> missing;
  for (const std::string name : kBatches) {
    if (std::find(files.begin(), files.end(), std::pair(std::string("train"), name)) ==
        files.end()) {
      missing.push_back(name);
    }
  }
  if (!missing.empty() && missing.size() < kBatches.size()) {
    throw FileError(
        printable(folder) + ": has no " + join(missing, ", ") + ", expected " + kBatches.front() +
        " to " + kBatches.back() + " of CIFAR-10 in it");
  }
}

ImageData read_files(const std::string& folder, const Version& version, const PartFiles& files) {
  const auto at = [&](const std::string& name) { return (fs::path(folder) / name).string(); };
  if (!fs::exists(at(version.names))) {
    throw FileError(
        printable(folder) + ": has no " + version.names +
        ", expected the names of the classes of " + version.kind + " in it");
  }
  const auto classes = read_names(at(version.names));
  ImageData data;
  data.kind = version.kind;
  for (const auto& [part, name] : files) {
    auto& set = data.parts[part];
    set.classes = classes;
    add_file(set, at(name), version, version.names);
  }
  return data;
}

}  // namespace

std::string cifar_mark(const std::string& folder) {
  const auto files = list_files(folder);
  return !files.ten.empty()       ? files.ten.front().second
         : !files.hundred.empty() ? files.hundred.front().second
                                  : "";
}

ImageData read_cifar(const std::string& folder) {
  const auto files = list_files(folder);
  if (!files.ten.empty() && !files.hundred.empty()) {
    throw FileError(
        printable(folder) + ": holds CIFAR-10 (" + files.ten.front().second + ") and CIFAR-100 (" +
        files.hundred.front().second + "), expected one of them");
  }
  check_batches(folder, files.ten);
  return files.hundred.empty()
             ? read_files(folder, {"CIFAR-10", "batches.meta.txt", 1}, files.ten)
             : read_files(folder, {"CIFAR-100", "fine_label_names.txt", 2}, files.hundred);
}

}  // namespace vitrine::detail
