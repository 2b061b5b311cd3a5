#include "vitrine/train/run_checkpoints.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/train_options.h"

#include "run_report.h"
#include "weights/json_fields.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostTextBytes = std::size_t{16} << 20;

std::string read_text(const std::string& path) {
  const auto bytes = read_file(path, kMostTextBytes);
  return {bytes.begin(), bytes.end()};
}

/// Whether the best epoch of the run in `folder` is that of the least loss.
bool judges_by_loss(const std::string& folder) {
  const auto path = folder + "/config.json";
  const auto text = read_text(path);
  detail::check_json_size(text, printable(path));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const nlohmann::json::json_pointer metric("/options/eval_metric");
  if (!json.is_object() || !json.contains(metric)) {
    throw FileError(printable(path) + ": is not what a run writes");
  }
  return json.at(metric) == to_string(EvalMetric::Loss);
}

/// What is the larger the better the epoch is; not NaN.
double score(const EpochRecord& record, bool by_loss) {
  const double value = by_loss ? -record.val_loss : record.val_top1;
  return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
}

}  // namespace

std::optional<std::string> run_of_checkpoint(const std::string& path) {
  const auto file = fs::absolute(path).lexically_normal();
  const auto folder = file.parent_path();
  if (!is_checkpoint_name(file.filename().string()) || folder.filename() != "checkpoints") {
    return std::nullopt;
  }
  std::error_code ignored;
  const auto run = folder.parent_path();
  return fs::exists(run / "best.safetensors", ignored) ? std::optional(run.string()) : std::nullopt;
}

void load_checkpoint_weights(
    LoadedModel& best, const std::string& path, const LoadOptions& options) {
  const auto checkpoint = read_checkpoint(path);
  const bool averaged = !checkpoint.ema.is_empty();
  best.report = load_state_dict(*best.model, averaged ? checkpoint.ema : checkpoint.model, options);
  const auto& state = checkpoint.state;
  best.card.provenance["epoch"] = std::to_string(state.epoch);
  best.card.provenance.erase("val_top1");
}

std::vector<std::string> best_checkpoints(const std::string& folder, int64_t count) {
  TORCH_CHECK_VALUE(count >= 1, "count has to be at least 1, but got ", count);
  const bool by_loss = judges_by_loss(folder);
  std::istringstream text(read_text(folder + "/metrics.jsonl"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  const auto path_of = [&](const EpochRecord& record) {
    return checkpoint_path(folder + "/checkpoints", record.epoch);
  };
  auto epochs = detail::parse_epochs(lines);
  epochs.erase(
      std::remove_if(
          epochs.begin(),
          epochs.end(),
          [&](const EpochRecord& record) {
            std::error_code ignored;
            return !fs::exists(path_of(record), ignored);
          }),
      epochs.end());
  const auto kept = static_cast<int64_t>(epochs.size());
  if (kept < count) {
    throw Error(
        printable(folder) + ": keeps the checkpoints of " + std::to_string(kept) +
        " epochs, fewer than " + std::to_string(count) + "; 'vitrine train --keep' keeps more");
  }
  std::stable_sort(epochs.begin(), epochs.end(), [&](const auto& a, const auto& b) {
    return score(a, by_loss) > score(b, by_loss);
  });
  std::vector<std::string> paths;
  for (int64_t i = 0; i < count; ++i) {
    paths.push_back(path_of(epochs[static_cast<std::size_t>(i)]));
  }
  return paths;
}

}  // namespace vitrine
