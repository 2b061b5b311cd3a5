#include "vitrine/infer/labels.h"

#include <cstddef>
#include <string>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

constexpr std::size_t kLargestFile = std::size_t{64} << 20;

}  // namespace

std::vector<std::string> read_labels(const std::string& path) {
  const auto bytes = read_file(path, kLargestFile);
  const std::string text(bytes.begin(), bytes.end());
  std::vector<std::string> labels;
  for (std::size_t start = 0; start < text.size();) {
    auto end = text.find('\n', start);
    end = end == std::string::npos ? text.size() : end;
    auto label = text.substr(start, end - start);
    if (!label.empty() && label.back() == '\r') {
      label.pop_back();
    }
    const auto place = printable(path) + ": line " + std::to_string(labels.size() + 1);
    if (label.empty()) {
      throw FileError(place + " is empty, expected the name of a class");
    }
    if (printable(label, label.size()) != label) {
      throw FileError(place + " is no plain UTF-8 text: '" + printable(label) + "'");
    }
    labels.push_back(std::move(label));
    start = end + 1;
  }
  return labels;
}

}  // namespace vitrine
