#pragma once

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace vitrine {

/// Writes `count` PNG images of `side` x `side` pixels for each of `classes` classes below `root`:
/// a bright quarter on a noisy ground, in a colour and at a place that belong to the class. A model
/// learns them in a few updates.
inline void draw_class_folders(
    const std::string& root, int classes, int count, int side = 8, unsigned seed = 1) {
  cv::RNG random(seed);
  for (int label = 0; label < classes; ++label) {
    const auto folder = root + "/class" + std::to_string(label);
    std::filesystem::create_directories(folder);
    for (int i = 0; i < count; ++i) {
      cv::Mat image(side, side, CV_8UC3);
      random.fill(image, cv::RNG::UNIFORM, 0, 64);
      const cv::Rect quarter(label % 2 * side / 2, label / 2 % 2 * side / 2, side / 2, side / 2);
      image(quarter) += cv::Scalar(label % 3 == 0 ? 160 : 0, label % 3 == 1 ? 160 : 0, 160);
      if (!cv::imwrite(folder + "/" + std::to_string(i) + ".png", image)) {
        throw std::runtime_error("cannot write an image into " + folder);
      }
    }
  }
}

/// The same as train/ and val/ of `root`.
inline void draw_splits(const std::string& root, int classes, int train_count, int val_count) {
  draw_class_folders(root + "/train", classes, train_count, 8, 1);
  draw_class_folders(root + "/val", classes, val_count, 8, 2);
}

}  // namespace vitrine
