#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/data/image_dataset.h"
#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine::detail {

/// The images of a run that cannot be read: workers tell of them, the run takes what is new.
class BadImageLog {
 public:
  /// More than `most` end the run. What begins with `root` is named from there on.
  BadImageLog(int64_t most, std::string root) : most_(most), root_(std::move(root)) {}

  /// Has `data` do with such images as `policy` says; this must outlive it and its copies.
  void watch(ImageDataset& data, BadImages policy) {
    data.set_bad_images(policy, [this](const ImageSample& sample, const std::string& text) {
      const auto name = sample_name(sample);
      const bool below = name.rfind(root_, 0) == 0;
      add(printable(below ? name.substr(root_.size()) : name, std::string::npos), text);
    });
  }

  /// The names of all that were met, for `restore` in a run that goes on.
  std::vector<std::string> names() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {names_.begin(), names_.end()};
  }
  /// Counts those of an earlier call, without a message.
  void restore(const std::vector<std::string>& names) {
    const std::lock_guard<std::mutex> lock(mutex_);
    names_.insert(names.begin(), names.end());
  }

  /// Messages of those met since the last call, each image once for all.
  std::vector<std::string> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(messages_, {});
  }

 private:
  void add(const std::string& name, const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (names_.insert(name).second) {
      messages_.push_back(text);
    }
    if (static_cast<int64_t>(names_.size()) > most_) {
      throw Error(
          "more images cannot be read than the " + std::to_string(most_) +
          " allowed (max_bad_images); the last one: " + text);
    }
  }

  int64_t most_;
  std::string root_;
  mutable std::mutex mutex_;
  std::set<std::string> names_;
  std::vector<std::string> messages_;
};

}  // namespace vitrine::detail
