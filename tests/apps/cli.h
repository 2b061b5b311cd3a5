#pragma once

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/process.h"
#include "support/temporary_folder.h"

namespace vitrine {

/// Runs the program. On the CPU and on one thread wherever a test does not say otherwise, so that
/// tests give the same answers everywhere.
inline ProcessResult vitrine_program(std::vector<std::string> words, ProcessOptions options = {}) {
  words.insert(words.begin(), VITRINE_PROGRAM);
  options.environment.emplace("OMP_NUM_THREADS", "1");
  return run_process(std::move(words), std::move(options));
}

/// The path of a small model of three classes ("cat", "dog, \"big\"", "hen"), made once.
inline const std::string& small_model() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    auto file = folder / "model.safetensors";
    const auto result = run_process({VITRINE_MAKE_MODEL, file});
    if (result.status != 0) {
      throw std::runtime_error("cannot make the model: " + result.err);
    }
    return file;
  }();
  return path;
}

/// Runs `vitrine classify` with the small model on the CPU.
inline ProcessResult classify(const std::vector<std::string>& words, ProcessOptions options = {}) {
  std::vector<std::string> all{"classify", "--weights", small_model(), "--device", "cpu"};
  all.insert(all.end(), words.begin(), words.end());
  return vitrine_program(all, std::move(options));
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// A picture that differs for each `seed`.
inline cv::Mat picture(int seed, int rows = 48, int columns = 64) {
  cv::Mat image(rows, columns, CV_8UC3);
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  image.setTo(cv::Scalar(random.uniform(0, 256), random.uniform(0, 256), random.uniform(0, 256)));
  cv::circle(
      image,
      {random.uniform(0, columns), random.uniform(0, rows)},
      rows / 4,
      cv::Scalar(random.uniform(0, 256), random.uniform(0, 256), random.uniform(0, 256)),
      cv::FILLED);
  return image;
}

/// A picture in the format of `extension`, such as ".png".
inline std::vector<std::uint8_t> encoded(const std::string& extension, const cv::Mat& image) {
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(extension, image, bytes)) {
    throw std::runtime_error("cannot encode a picture as " + extension);
  }
  return bytes;
}

inline void write_bytes(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(
      reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path);
  }
}

inline void write_text(const std::string& path, const std::string& text) {
  write_bytes(path, {text.begin(), text.end()});
}

inline std::string write_picture(const std::string& path, int seed) {
  write_bytes(path, encoded(std::filesystem::path(path).extension(), picture(seed)));
  return path;
}

}  // namespace vitrine
