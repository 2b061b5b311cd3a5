#pragma once

#include <mutex>
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
  /// Writes what was told since.
  void write(Progress& progress) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& line : lines_) {
      progress.line("vitrine: " + line);
      any_ = true;
    }
    lines_.clear();
  }
  /// Whether there was one among those written.
  bool any() const { return any_; }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  bool any_ = false;
};

}  // namespace vitrine
