#include "vitrine/data/data_check.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <new>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/image/image.h"
#include "vitrine/text.h"

#include "data/data_kinds.h"
#include "image/decode.h"
#include "single_thread.h"

namespace vitrine {
namespace {

using Content = std::array<std::uint64_t, 2>;

/// Two sums over the words of an image that have nothing in common: 128 bits, so that two images
/// which differ are never taken for the same by chance.
Content hash_pixels(const torch::Tensor& image) {
  const auto size = static_cast<std::size_t>(image.numel());
  const auto* bytes = image.const_data_ptr<std::uint8_t>();
  Content sums = {
      static_cast<std::uint64_t>(image.size(0)) + 1, static_cast<std::uint64_t>(image.size(1)) + 1};
  const auto add = [&](std::uint64_t word) {
    // Odd factors keep every bit; the turn brings the high ones down again.
    sums[0] = (sums[0] ^ word) * 0x9E3779B97F4A7C15U;
    sums[0] ^= sums[0] >> 29;
    sums[1] = (sums[1] + word) * 0xD6E8FEB86659FD93U;
    sums[1] ^= sums[1] >> 32;
  };
  std::size_t i = 0;
  std::uint64_t word = 0;
  for (; i + sizeof(word) <= size; i += sizeof(word)) {
    std::memcpy(&word, bytes + i, sizeof(word));
    add(word);
  }
  word = 0;
  std::memcpy(&word, bytes + i, size - i);
  add(word);
  return sums;
}

/// What is kept of an image.
struct Facts {
  Content content{};
  std::int32_t height = 0;
  std::int32_t width = 0;
  const char* format = nullptr;  // a literal; null where the image is broken
  std::int32_t channels = 0;
};

Facts examine(const ImageSample& sample) {
  detail::DecodedImage decoded{};
  if (sample.packed) {
    decoded = {read_image(sample), "packed", sample.packed->channels};
  } else {
    const auto bytes = read_file(sample.path);
    try {
      decoded = detail::decode(bytes.data(), bytes.size(), kMaxPixels);
    } catch (const ImageError& error) {
      throw ImageError(printable(sample.path) + ": " + error.what());
    }
  }
  return {
      hash_pixels(decoded.pixels),
      static_cast<std::int32_t>(decoded.pixels.size(0)),
      static_cast<std::int32_t>(decoded.pixels.size(1)),
      decoded.format,
      static_cast<std::int32_t>(decoded.channels)};
}

/// Examines images with threads; the caller takes what they found in order.
class Examination {
 public:
  Examination(std::vector<const ImageSample*> samples, int64_t workers)
      : samples_(std::move(samples)), facts_(samples_.size()), done_(samples_.size()) {
    for (int64_t i = 0; i < workers; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }
  Examination(const Examination&) = delete;
  Examination& operator=(const Examination&) = delete;
  ~Examination() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      next_ = samples_.size();
    }
    for (auto& thread : threads_) {
      thread.join();
    }
  }

  /// Waits for image `index`; what is wrong with it, or "".
  std::string wait(std::size_t index) {
    std::unique_lock<std::mutex> lock(mutex_);
    ready_.wait(lock, [&] { return done_[index]; });
    const auto found = errors_.find(index);
    return found == errors_.end() ? "" : found->second;
  }

  const std::vector<Facts>& facts() const { return facts_; }

 private:
  void work() {
    detail::use_single_thread();
    std::unique_lock<std::mutex> lock(mutex_);
    while (next_ < samples_.size()) {
      const auto index = next_++;
      lock.unlock();
      Facts facts;
      std::string error;
      try {
        facts = examine(*samples_[index]);
      } catch (const c10::Error& fault) {
        error = fault.what_without_backtrace();
      } catch (const std::bad_alloc&) {
        error = printable(samples_[index]->path) + ": there is not enough memory to decode it";
      } catch (const std::exception& fault) {
        error = fault.what();
      }
      lock.lock();
      facts_[index] = facts;
      done_[index] = true;
      if (!error.empty()) {
        errors_[index] = error;
      }
      ready_.notify_one();
    }
  }

  std::vector<const ImageSample*> samples_;
  std::vector<Facts> facts_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::size_t next_ = 0;
  std::vector<bool> done_;
  std::map<std::size_t, std::string> errors_;
  std::vector<std::thread> threads_;
};

Spread spread_of(std::vector<int64_t> values) {
  if (values.empty()) {
    return {};
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  const auto median = *middle;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {*least, median, *most};
}

std::vector<std::vector<ImagePlace>> find_duplicates(
    const std::vector<Facts>& facts, const std::vector<ImagePlace>& places) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (facts[i].format != nullptr) {
      order.push_back(i);
    }
  }
  const auto key = [&](std::size_t i) {
    return std::tie(facts[i].content, facts[i].height, facts[i].width);
  };
  std::stable_sort(
      order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::map<std::size_t, std::vector<ImagePlace>> groups;  // by the first image
  for (std::size_t begin = 0; begin < order.size();) {
    auto end = begin + 1;
    while (end < order.size() && key(order[end]) == key(order[begin])) {
      ++end;
    }
    for (auto i = begin; end - begin > 1 && i < end; ++i) {
      groups[order[begin]].push_back(places[order[i]]);
    }
    begin = end;
  }
  std::vector<std::vector<ImagePlace>> result;
  for (auto& [first, group] : groups) {
    result.push_back(std::move(group));
  }
  return result;
}

}  // namespace

std::optional<DataReport> check_images(
    const ImageData& data, int64_t workers, const DataCheckEvents& events) {
  TORCH_CHECK_VALUE(
      workers >= 1 && workers <= 256, "workers has to be between 1 and 256, but got ", workers);
  std::vector<const ImageSample*> samples;
  std::vector<ImagePlace> places;
  DataReport report;
  for (const auto& [part, set] : data.parts) {
    report.class_counts[part].resize(set.classes.size());
    for (std::size_t i = 0; i < set.samples.size(); ++i) {
      samples.push_back(&set.samples[i]);
      places.push_back({part, i});
    }
  }
  report.images = static_cast<int64_t>(samples.size());
  std::vector<int64_t> heights;
  std::vector<int64_t> widths;
  Examination examination(samples, workers);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto error = examination.wait(i);
    const auto& facts = examination.facts()[i];
    if (!error.empty()) {
      report.broken.push_back(places[i]);
      if (events.broken) {
        events.broken(places[i], error);
      }
    } else {
      ++report.class_counts[places[i].part][static_cast<std::size_t>(samples[i]->label)];
      ++report.formats[facts.format];
      ++report.channels[facts.channels];
      heights.push_back(facts.height);
      widths.push_back(facts.width);
    }
    if (events.progress && !events.progress(static_cast<int64_t>(i) + 1, report.images)) {
      return std::nullopt;
    }
  }
  report.height = spread_of(std::move(heights));
  report.width = spread_of(std::move(widths));
  report.duplicates = find_duplicates(examination.facts(), places);
  return report;
}

std::optional<std::string> class_fault(const std::string& path, const ImageData& data) {
  try {
    detail::check_parts(path, data);
  } catch (const FileError& error) {
    return error.what();
  }
  return std::nullopt;
}

std::map<std::string, std::vector<std::string>> missing_classes(
    const ImageData& data, const DataReport& report) {
  std::map<std::string, std::set<std::string>> present;
  std::set<std::string> all;
  for (const auto& [part, set] : data.parts) {
    const auto& counts = report.class_counts.at(part);
    for (std::size_t i = 0; i < set.classes.size(); ++i) {
      all.insert(set.classes[i]);
      if (counts[i] > 0) {
        present[part].insert(set.classes[i]);
      }
    }
  }
  std::map<std::string, std::vector<std::string>> missing;
  for (const auto& [part, set] : data.parts) {
    for (const auto& name : all) {
      if (present[part].count(name) == 0) {
        missing[part].push_back(name);
      }
    }
  }
  return missing;
}

bool is_leak(const std::vector<ImagePlace>& group) {
  return std::any_of(group.begin(), group.end(), [&](const ImagePlace& place) {
    return place.part != group.front().part;
  });
}

}  // namespace vitrine
