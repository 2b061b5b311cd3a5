#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "vitrine/data/image_dataset.h"

#include "progress.h"

namespace vitrine {

/// The images of a dataset that cannot be read: workers tell of them, the command writes a line for
/// each.
class BadImageLines {
 public:
  /// Has `data` leave out what cannot be read, and tell of it; this must outlive it.
  void watch(ImageDataset& data) {
    data.set_bad_images(BadImages::LeaveOut, [this](const ImageSample&, const std::string& text) {
      const std::lock_guard<std::mutex> lock(mutex_);
      lines_.push_back(text);
    });
  }
  /// Writes what was told since and is new: several passes over the images tell it again.
  void write(Progress& progress) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& line : lines_) {
      if (written_.insert(line).second) {
        progress.line("vitrine: " + line);
      }
    }
    lines_.clear();
  }
  /// Whether there was one among those written.
  bool any() const { return !written_.empty(); }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::set<std::string> written_;
};

}  // namespace vitrine
