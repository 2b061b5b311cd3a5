#pragma once

#include <string>
#include <vector>

namespace vitrine::detail {

/// The lines of metrics.jsonl once more for other readers: metrics.csv, and TensorBoard's
/// events.out.tfevents.<seconds since 1970>.vitrine.
///
/// While a run goes on, both grow as metrics.jsonl does, so that a TensorBoard that is open follows
/// them. When a run begins or goes on, they are made anew from the lines that count, the events
/// under a new name: thus nothing in them is ever doubled or left over from a repeated epoch.
class MetricsCopies {
 public:
  explicit MetricsCopies(std::string folder);

  /// Makes both from `lines`, each a JSON object, and removes earlier events. Throws FileError.
  void rewrite(const std::vector<std::string>& lines);
  /// Adds a line, durably.
  void append(const std::string& line);
  /// Removes both.
  void clear();

 private:
  std::string csv_path() const { return folder_ + "/metrics.csv"; }
  std::string csv_row(const std::string& line);

  std::string folder_;
  std::string events_path_;           // empty before the first `rewrite`
  std::vector<std::string> columns_;  // of metrics.csv, those of its first line
};

/// Whether a file of this name is one that `MetricsCopies` writes.
bool is_metrics_copy(const std::string& name);

}  // namespace vitrine::detail
