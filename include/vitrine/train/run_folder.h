#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

namespace detail {
class MetricsCopies;
}  // namespace detail

/// The folder of a training run: config.json, metrics.jsonl, best.safetensors with best.json, which
/// says how well it does, checkpoints/ and report.html; and, for other readers of the same metrics,
/// metrics.csv and TensorBoard's events.
///
/// While it lives no other process can open the same folder (`flock`, which ends with the process,
/// however that ends). Writers keep an order: metrics, best model, checkpoint. What comes before a
/// checkpoint is repeated from the checkpoint before when a run was stopped in between.
class VITRINE_API RunFolder {
 public:
  /// Makes the folder where it is missing, locks it, and removes files that a killed run left
  /// half-written. Throws FileError when another run holds it, it cannot be made, or one of its
  /// files is a folder. A folder that gets no config.json is left as it was found.
  explicit RunFolder(std::string path);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder();

  /// Removes what an earlier run wrote, and nothing else. A run stopped in here stays a run that
  /// can go on.
  void clear();

  /// Text of config.json, or nothing in a new folder. Throws FileError where a folder holds a run's
  /// other files but no config.json, or a config.json that is no run's.
  std::optional<std::string> read_config() const;
  void write_config(const std::string& text);

  /// Adds a line, a JSON object without the line's end, to metrics.jsonl and its copies, durably.
  void append_metrics(const std::string& line);
  /// The whole lines of metrics.jsonl.
  std::vector<std::string> metrics() const;
  /// Drops the lines of metrics.jsonl whose "epoch" is beyond `epoch` or unreadable, and makes its
  /// copies anew; gives how many stay.
  int64_t truncate_metrics(int64_t epoch);

  const std::string& path() const { return path_; }
  std::string config_path() const { return path_ + "/config.json"; }
  std::string metrics_path() const { return path_ + "/metrics.jsonl"; }
  std::string report_path() const { return path_ + "/report.html"; }
  std::string best_path() const { return path_ + "/best.safetensors"; }
  std::string best_evaluation_path() const { return path_ + "/best.json"; }
  std::string checkpoints_path() const { return path_ + "/checkpoints"; }

 private:
  std::string path_;
  bool was_there_;
  std::unique_ptr<detail::MetricsCopies> copies_;
  int lock_ = -1;
};

}  // namespace vitrine
