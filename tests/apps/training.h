#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "apps/cli.h"
#include "support/drawn_data.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace vitrine {

/// Images of three classes, drawn once: 24 to train on, 12 to validate.
inline const std::string& drawn_splits() {
  static const TemporaryFolder folder;
  static const bool drawn = [] {
    draw_splits(folder.path(), /*classes=*/3, /*train_count=*/8, /*val_count=*/4);
    return true;
  }();
  static_cast<void>(drawn);
  return folder.path();
}

/// `vitrine train` of a very small ViT for `epochs` epochs into `output`.
inline std::vector<std::string> train_words(const std::string& output, int epochs) {
  return {
      "train",
      drawn_splits(),
      "--device=cpu",
      "--model=vitrine_vit_patch4_32",
      "--model-kwargs=depth=1,embed_dim=16,num_heads=2",
      "--image-size=8",
      "--crop-pct=1",
      "--drop-path=0.1",
      "--drop=0.1",
      "--batch-size=8",
      "--workers=1",
      "--lr=0.01",
      "--warmup-epochs=1",
      "--scale=0.8,1",
      "--degrees=5",
      "--epochs=" + std::to_string(epochs),
      "--output=" + output};
}

/// A finished run, made once.
inline const std::string& finished_run() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    const auto result = vitrine_program(train_words(folder / "run", 3));
    EXPECT_EQ(result.status, 0) << result.err;
    return folder / "run";
  }();
  return path;
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline std::string checkpoint_of(const std::string& run, int epoch) {
  auto number = std::to_string(epoch);
  number.insert(0, 4 - number.size(), '0');
  return run + "/checkpoints/epoch-" + number + ".safetensors";
}

/// The lines of metrics.jsonl, less what depends on the clock.
inline std::vector<nlohmann::json> metrics_of(const std::string& run) {
  std::vector<nlohmann::json> metrics;
  for (const auto& line : lines_of(bytes_of(run + "/metrics.jsonl"))) {
    auto json = nlohmann::json::parse(line);
    for (const auto* field : {"seconds", "images_per_second", "data_wait", "time"}) {
      json.erase(field);
    }
    metrics.push_back(std::move(json));
  }
  return metrics;
}

/// Whether a run has a file whose name has `part` in it.
inline bool has_file_of(const std::string& run, const std::string& part) {
  for (const auto& folder : {run, run + "/checkpoints"}) {
    std::error_code error;
    std::filesystem::directory_iterator it(folder, error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      if (it->path().filename().string().find(part) != std::string::npos) {
        return true;
      }
    }
  }
  return false;
}

/// Whether a file of the run is being written right now, or was when the run was killed.
inline bool has_half_written(const std::string& run) {
  return has_file_of(run, ".tmp-");
}

/// `words` and `more` after them.
inline std::vector<std::string> joined(
    std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Fails unless the program leaves with `status` and one line that holds every one of `parts`.
inline void expect_failure(
    const std::vector<std::string>& words, int status, const std::vector<std::string>& parts) {
  const auto result = vitrine_program(words);
  EXPECT_EQ(result.status, status) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  for (const auto& part : parts) {
    EXPECT_NE(result.err.find(part), std::string::npos) << part << " is not in: " << result.err;
  }
}

}  // namespace vitrine
