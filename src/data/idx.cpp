// IDX, the format of MNIST: https://web.archive.org/web/2024/http://yann.lecun.com/exdb/mnist/.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "data/data_kinds.h"
#include "data/gzip.h"

namespace vitrine::detail {
namespace {

namespace fs = std::filesystem;

// As many as a file of digits can hold several times over; what says where each one is takes more
// memory than images of a few pixels themselves.
constexpr std::size_t kMostImages = 4'000'000;

/// Paths of the two files of a part.
struct Pair {
  std::string images;
  std::string labels;
};

/// Bytes of a file of unsigned bytes with so many dimensions.
struct Idx {
  std::vector<std::uint8_t> bytes;
  std::vector<std::size_t> sizes;
  std::size_t offset = 0;  // of the data
};

std::size_t big_endian(const std::uint8_t* bytes) {
  std::size_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value = value << 8 | bytes[i];
  }
  return value;
}

Idx read_bytes(const std::string& path, std::size_t dimensions) {
  Idx idx;
  idx.bytes = read_maybe_gzip(path);
  idx.offset = 4 + 4 * dimensions;
  const std::array<std::uint8_t, 4> magic = {0, 0, 8, static_cast<std::uint8_t>(dimensions)};
  if (idx.bytes.size() < idx.offset || !std::equal(magic.begin(), magic.end(), idx.bytes.begin())) {
    throw FileError(
        printable(path) + ": does not begin as an IDX file of bytes with " +
        std::to_string(dimensions) + (dimensions == 1 ? " dimension" : " dimensions") +
        " (00 00 08 0" + std::to_string(dimensions) + " and the sizes)");
  }
  // Each size is below 2^32 and the product is compared by division, so that nothing overflows.
  std::size_t expected = 1;
  std::string shape;
  const auto data = idx.bytes.size() - idx.offset;
  bool fits = true;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const auto size = big_endian(idx.bytes.data() + 4 + 4 * i);
    idx.sizes.push_back(size);
    shape += (i == 0 ? "" : " x ") + std::to_string(size);
    fits = fits && size > 0 && expected <= data / size;
    expected = fits ? expected * size : 0;
  }
  if (!fits || expected != data) {
    throw FileError(
        printable(path) + ": has " + std::to_string(data) + " bytes of data, expected " + shape +
        " as its header says");
  }
  return idx;
}

/// A part whose labels are those of the file, not yet the indices of classes.
ImageSet read_pair(const Pair& pair) {
  auto images = read_bytes(pair.images, 3);
  const auto count = images.sizes[0];
  if (count > kMostImages) {
    throw FileError(
        printable(pair.images) + ": has " + std::to_string(count) + " images, expected at most " +
        std::to_string(kMostImages));
  }
  const auto labels = read_bytes(pair.labels, 1);
  if (labels.sizes[0] != count) {
    throw FileError(
        printable(pair.labels) + ": has " + std::to_string(labels.sizes[0]) +
        " labels, expected one for each of the " + std::to_string(count) + " images in " +
        printable(pair.images));
  }
  auto packed = std::make_shared<PackedImages>();
  packed->bytes = std::move(images.bytes);
  packed->offset = images.offset;
  packed->stride = images.sizes[1] * images.sizes[2];
  packed->channels = 1;
  packed->height = static_cast<int64_t>(images.sizes[1]);
  packed->width = static_cast<int64_t>(images.sizes[2]);
  ImageSet set;
  set.samples.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    set.samples.push_back(
        {pair.images, labels.bytes[labels.offset + i], packed, static_cast<int64_t>(i)});
  }
  return set;
}

/// Numbers the classes from 0: those that `names_path` names, else those from the lowest label to
/// the highest (EMNIST's letters begin with 1).
void number_classes(
    std::map<std::string, ImageSet>& parts,
    const std::map<std::string, Pair>& pairs,
    const std::string& names_path) {
  std::vector<std::string> names;
  int64_t lowest = 0;
  if (fs::exists(names_path)) {
    names = read_names(names_path);
  } else {
    lowest = 255;
    int64_t highest = 0;
    for (const auto& [part, set] : parts) {
      for (const auto& sample : set.samples) {
        lowest = std::min(lowest, sample.label);
        highest = std::max(highest, sample.label);
      }
    }
    for (auto label = lowest; label <= highest; ++label) {
      names.push_back(std::to_string(label));
    }
  }
  for (auto& [part, set] : parts) {
    set.classes = names;
    for (auto& sample : set.samples) {
      if (sample.label - lowest >= static_cast<int64_t>(names.size())) {
        throw FileError(
            printable(pairs.at(part).labels) + ": record " + std::to_string(sample.record) +
            " is of class " + std::to_string(sample.label) + ", expected at most " +
            std::to_string(names.size() - 1) + ", as " + printable(names_path) + " names " +
            std::to_string(names.size()));
      }
      sample.label -= lowest;
    }
  }
}

/// Puts `path` in its place, which nothing but a .gz of the same name may have.
void put(const std::string& path, std::string& place) {
  if (!place.empty() && place != path + ".gz") {
    throw FileError(
        printable(path) + " and " + printable(place) + " are for the same part, expected one of " +
        "them");
  }
  place = path;
}

/// Which part a file belongs to, and whether it holds its labels: as MNIST's, Fashion-MNIST's and
/// EMNIST's files are called, whatever stands before.
void take(const fs::path& path, std::map<std::string, Pair>& pairs) {
  const auto name = path.filename().string();
  for (const auto& [stem, part] :
       {std::pair{"train-", "train"}, std::pair{"t10k-", "val"}, std::pair{"test-", "val"}}) {
    for (const char* separator : {"-", "."}) {
      const auto images = std::string("*") + stem + "images" + separator + "idx3-ubyte";
      const auto labels = std::string("*") + stem + "labels" + separator + "idx1-ubyte";
      if (matches_wildcard(name, images) || matches_wildcard(name, images + ".gz")) {
        put(path.string(), pairs[part].images);
        return;
      }
      if (matches_wildcard(name, labels) || matches_wildcard(name, labels + ".gz")) {
        put(path.string(), pairs[part].labels);
        return;
      }
    }
  }
}

std::map<std::string, Pair> list_pairs(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.rbegin(), files.rend());  // a file comes after its .gz, and is preferred
  std::map<std::string, Pair> pairs;
  for (const auto& file : files) {
    take(file, pairs);
  }
  return pairs;
}

}  // namespace

std::string idx_mark(const std::string& folder) {
  const auto pairs = list_pairs(folder);
  if (pairs.empty()) {
    return "";
  }
  const auto& pair = pairs.begin()->second;
  return fs::path(pair.images.empty() ? pair.labels : pair.images).filename().string();
}

ImageData read_idx(const std::string& folder) {
  const auto pairs = list_pairs(folder);
  ImageData data;
  data.kind = "IDX";
  for (const auto& [part, pair] : pairs) {
    if (pair.images.empty() || pair.labels.empty()) {
      const auto& present = pair.images.empty() ? pair.labels : pair.images;
      throw FileError(
          printable(present) + ": has no " + (pair.images.empty() ? "images" : "labels") +
          " beside it, expected a file called as it is with " +
          (pair.images.empty() ? "images and idx3" : "labels and idx1") + " in its name");
    }
    data.parts[part] = read_pair(pair);
  }
  number_classes(data.parts, pairs, (fs::path(folder) / "labels.txt").string());
  return data;
}

}  // namespace vitrine::detail
