#include "shards.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "json_fields.h"

namespace vitrine::detail {
namespace {

/// Bytes of an index; `check_json_size` bounds what it holds.
constexpr std::size_t kMostIndexBytes = std::size_t{4} << 20;
/// Files of one checkpoint, each of which takes a descriptor.
constexpr std::size_t kMostShards = 128;

/// Whether `name` is that of a file in the same folder.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
}

/// Files by tensor, as the index has them.
std::map<std::string, std::string> read_index(const std::string& path, const std::string& subject) {
  const auto bytes = read_file(path, kMostIndexBytes);
  const auto json = parse_json_object(std::string(bytes.begin(), bytes.end()), subject);
  const JsonFields fields(json, subject, "");
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : fields.object("weight_map").items()) {
    const auto name = fields.text("weight_map." + printable(tensor), file);
    if (!is_plain_name(name)) {
      throw CheckpointError(
          subject + ": the index has tensor '" + printable(tensor) + "' in '" + printable(name) +
          "', expected the plain name of a file beside it");
    }
    files.emplace(tensor, name);
  }
  if (files.empty()) {
    throw CheckpointError(subject + ": the index has no tensor in its weight_map");
  }
  return files;
}

}  // namespace

ShardsSource::ShardsSource(const std::string& path) : subject_(printable(path)) {
  const auto index = read_index(path, subject_);
  std::map<std::string, std::size_t> missing;  // tensors of each file that are not yet found
  for (const auto& [tensor, file] : index) {
    ++missing[file];
  }
  if (missing.size() > kMostShards) {
    throw CheckpointError(
        subject_ + ": the index names " + std::to_string(missing.size()) +
        " files, expected at most " + std::to_string(kMostShards));
  }
  const auto folder = std::filesystem::path(path).parent_path();
  for (auto& [name, count] : missing) {
    const auto place = (folder / name).string();
    files_.push_back(std::make_unique<SafetensorsFile>(place));
    const auto& file = *files_.back();
    file_bytes_ += std::filesystem::file_size(place);
    for (const auto& entry : file.header().tensors) {
      const auto expected = index.find(entry.name);
      if (expected == index.end() || expected->second != name) {
        throw CheckpointError(
            subject_ + ": '" + printable(name) + "' has a tensor '" + printable(entry.name) +
            "', which the index " +
            (expected == index.end() ? "does not name"
                                     : "has in '" + printable(expected->second) + "'"));
      }
      places_.push_back({&file, &entry});
      --count;
    }
    if (count > 0) {
      const auto& entries = file.header().tensors;
      const auto absent =
          std::find_if(index.begin(), index.end(), [&, shard = name](const auto& item) {
            return item.second == shard &&
                   std::none_of(entries.begin(), entries.end(), [&](const auto& entry) {
                     return entry.name == item.first;
                   });
          });
      throw CheckpointError(
          subject_ + ": the index has tensor '" + printable(absent->first) + "' in '" +
          printable(name) + "', which has none of that name");
    }
  }
}

torch::ScalarType ShardsSource::type(std::size_t i) const {
  return places_[i].file->type_of(entry(i));
}

torch::Tensor ShardsSource::read(std::size_t i) const {
  return places_[i].file->read(entry(i));
}

bool ShardsSource::copy_to(std::size_t i, torch::Tensor& target) const {
  return copies_directly(i, target) ? places_[i].file->read_into(entry(i), target)
                                    : Source::copy_to(i, target);
}

bool ShardsSource::copies_directly(std::size_t i, const torch::Tensor& target) const {
  return is_run_of(target, type(i));
}

bool is_shard_index(std::string_view start) {
  const auto first = start.find_first_not_of(" \t\r\n");
  // A safetensors file has the length of its header first, of which zeros are part.
  return first != std::string_view::npos && start[first] == '{' &&
         start.find('\0') == std::string_view::npos &&
         (start.find("\"weight_map\"") != std::string_view::npos ||
          start.find("\"total_size\"") != std::string_view::npos);
}

}  // namespace vitrine::detail
