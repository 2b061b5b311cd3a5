#include "vitrine/train/run_folder.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"
#include "vitrine/train/checkpoint.h"

#include "train/metrics_copies.h"
#include "weights/json_fields.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostConfigBytes = std::size_t{16} << 20;
// A million epochs, each a line of several hundred bytes.
constexpr std::size_t kMostMetricsBytes = std::size_t{1} << 30;

std::string lock_path(const std::string& folder) {
  return folder + "/.lock";
}

/// Whether `path` is still the file that was opened: a run that never began takes its lock away.
bool is_at(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat found {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &found) == 0 &&
         opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

int lock_folder(const std::string& path) {
  const auto file = lock_path(path);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    throw FileError(printable(file) + ": cannot write: " + std::generic_category().message(errno));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(descriptor);
    throw FileError(
        printable(path) + (error == EWOULDBLOCK
                               ? ": another run is writing into this folder"
                               : ": cannot lock: " + std::generic_category().message(error)));
  }
  if (!is_at(descriptor, file)) {
    ::close(descriptor);
    create_folders(path);
    return lock_folder(path);
  }
  return descriptor;
}

/// Whether a run writes a file of this name.
bool is_run_file(const std::string& name) {
  return name == "config.json" || name == "metrics.jsonl" || name == "best.safetensors" ||
         name == "best.json" || name == "report.html" || detail::is_metrics_copy(name) ||
         is_checkpoint_name(name);
}

/// Whether a run's file was to be called `name` once it was whole.
bool is_half_written(std::string_view name) {
  constexpr std::string_view kMark = ".tmp-";
  const auto mark = name.rfind(kMark);
  const auto number = mark == std::string_view::npos ? "" : name.substr(mark + kMark.size());
  if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  return is_run_file(std::string(name.substr(0, mark)));
}

/// Throws FileError where something else stands in the place of a file that a run writes. Found out
/// when the file is due, it would cost all that was trained since the one before.
void check_places(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const auto kind = it->status(ignored).type();
    if (is_run_file(it->path().filename().string()) && kind != fs::file_type::regular &&
        kind != fs::file_type::not_found) {
      throw FileError(
          printable(it->path().string()) + ": is " +
          (kind == fs::file_type::directory ? "a folder" : "a device or a pipe") +
          ", expected a file that the run may write; move it away, or choose another output "
          "folder");
    }
  }
}

/// Removes what `write_file_atomically` had not renamed yet when its process was killed, and
/// nothing else.
void remove_half_written(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (is_half_written(it->path().filename().string()) && it->is_regular_file(ignored)) {
      fs::remove(it->path(), ignored);
    }
  }
}

/// The name of a file in `folders` that a run would write.
std::optional<std::string> file_of_a_run(
    const std::string& folder, const std::string& checkpoints) {
  for (const auto& path : {folder, checkpoints}) {
    for (const auto& entry : fs::directory_iterator(path)) {
      auto name = entry.path().filename().string();
      if (is_run_file(name)) {
        return name;
      }
    }
  }
  return std::nullopt;
}

std::string read_text(const std::string& path, std::size_t limit) {
  const auto bytes = read_file(path, limit);
  return {bytes.begin(), bytes.end()};
}

/// Whether config.json is a run's, not that of something else: many a model's folder has one.
bool is_run_config(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto has = [&](const char* part) { return json.contains(part) && json[part].is_object(); };
  return json.is_object() && has("options") && has("data") && has("environment");
}

/// Whether a whole line of metrics.jsonl belongs to one of the first `epoch` epochs.
bool is_kept(const std::string& line, int64_t epoch) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return false;
  }
  const auto found = json.find("epoch");
  return found != json.end() && found->is_number_integer() && found->get<int64_t>() <= epoch;
}

}  // namespace

RunFolder::RunFolder(std::string path)
    : path_(std::move(path)),
      was_there_(fs::exists(path_)),
      copies_(std::make_unique<detail::MetricsCopies>(path_)) {
  create_folders(path_);
  check_places(path_);
  check_places(checkpoints_path());
  lock_ = lock_folder(path_);
  create_folders(checkpoints_path());
  remove_half_written(path_);
  remove_half_written(checkpoints_path());
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  if (!fs::exists(config_path(), ignored)) {
    fs::remove(checkpoints_path(), ignored);  // removes no folder that holds something
    fs::remove(lock_path(path_), ignored);
    if (!was_there_) {
      fs::remove(path_, ignored);
    }
  }
  ::close(lock_);
}

void RunFolder::clear() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints_path())) {
    if (is_checkpoint_name(entry.path().filename().string())) {
      fs::remove(entry.path(), error);
      // One that stayed would be taken for the new run's.
      if (error) {
        throw FileError(printable(entry.path().string()) + ": cannot remove: " + error.message());
      }
    }
  }
  copies_->clear();
  // config.json goes last: without it the rest could not be told from somebody's other files.
  for (const auto& path :
       {report_path(), best_evaluation_path(), best_path(), metrics_path(), config_path()}) {
    fs::remove(path, error);
    if (error) {
      throw FileError(printable(path) + ": cannot remove: " + error.message());
    }
  }
}

std::optional<std::string> RunFolder::read_config() const {
  if (fs::exists(config_path())) {
    auto text = read_text(config_path(), kMostConfigBytes);
    detail::check_json_size(text, printable(config_path()));
    if (!is_run_config(text)) {
      throw FileError(
          printable(config_path()) + ": is not what a run writes; choose another output folder");
    }
    return text;
  }
  if (const auto name = file_of_a_run(path_, checkpoints_path())) {
    throw FileError(
        printable(path_) + ": holds " + printable(*name) +
        ", which a run would write, but no config.json of a run; choose another folder");
  }
  return std::nullopt;
}

void RunFolder::write_config(const std::string& text) {
  write_file_atomically(config_path(), [&](File& file) { file.write(text); });
}

void RunFolder::append_metrics(const std::string& line) {
  File file(metrics_path(), File::Mode::Append);
  file.write(line + "\n");
  file.sync();
  copies_->append(line);
}

std::vector<std::string> RunFolder::metrics() const {
  std::vector<std::string> result;
  std::istringstream lines(
      fs::exists(metrics_path()) ? read_text(metrics_path(), kMostMetricsBytes) : "");
  for (std::string line; std::getline(lines, line);) {
    result.push_back(line);
  }
  return result;
}

int64_t RunFolder::truncate_metrics(int64_t epoch) {
  std::string text;
  std::vector<std::string> kept;
  for (auto& line : metrics()) {
    if (is_kept(line, epoch)) {
      text += line + "\n";
      kept.push_back(std::move(line));
    }
  }
  if (!fs::exists(metrics_path()) || read_text(metrics_path(), kMostMetricsBytes) != text) {
    write_file_atomically(metrics_path(), [&](File& file) { file.write(text); });
  }
  copies_->rewrite(kept);
  return static_cast<int64_t>(kept.size());
}

}  // namespace vitrine
