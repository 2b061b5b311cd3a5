#pragma once

#include <torch/types.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <stdio.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "vitrine/file.h"

namespace vitrine {

/// The path of a file of tests/data/images.
inline std::string image_path(const std::string& name) {
  return std::string(VITRINE_TEST_DATA) + "/data/images/" + name;
}

/// The names of the image files there, in order.
inline std::vector<std::string> image_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(image_path(""))) {
    if (entry.path().extension() != ".rgb") {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Whether Pillow's reading of the file is there to compare with.
inline bool has_expected_image(const std::string& name) {
  return std::filesystem::exists(image_path(name + ".rgb"));
}

/// What Pillow reads from the file, uint8 [H, W, 3].
inline torch::Tensor expected_image(const std::string& name) {
  const auto bytes = read_file(image_path(name + ".rgb"));
  std::int32_t size[2] = {0, 0};
  std::memcpy(size, bytes.data(), sizeof(size));
  torch::Tensor image = torch::empty({size[0], size[1], 3}, torch::kUInt8);
  std::memcpy(
      image.data_ptr(), bytes.data() + sizeof(size), static_cast<std::size_t>(image.numel()));
  return image;
}

/// Keeps what is written to standard error, by C libraries too, until it is asked for.
class CapturedStandardError {
 public:
  CapturedStandardError() : file_(::tmpfile()), saved_(::dup(2)) { ::dup2(::fileno(file_), 2); }
  CapturedStandardError(const CapturedStandardError&) = delete;
  CapturedStandardError& operator=(const CapturedStandardError&) = delete;
  ~CapturedStandardError() {
    ::fflush(stderr);
    ::dup2(saved_, 2);
    ::close(saved_);
    ::fclose(file_);
  }

  std::string text() const {
    ::fflush(stderr);
    std::string text(static_cast<std::size_t>(::lseek(::fileno(file_), 0, SEEK_END)), '\0');
    const auto count = ::pread(::fileno(file_), text.data(), text.size(), 0);
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }

 private:
  FILE* file_;
  int saved_;
};

}  // namespace vitrine
