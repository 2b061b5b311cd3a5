#include "vitrine/train/checkpoint.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <system_error>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/weights/safetensors.h"

#include "train/checksum.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStateKey = "vitrine.run";
constexpr const char* kChecksumKey = "vitrine.checksum";

/// Where the tensors of a checkpoint stand in its file.
struct Part {
  const char* prefix;
  StateDict Checkpoint::*tensors;
};
constexpr std::array<Part, 3> kParts = {
    Part{"model.", &Checkpoint::model},
    Part{"optimizer.", &Checkpoint::optimizer},
    Part{"ema.", &Checkpoint::ema}};

std::string checksum(const StateDict& tensors, const std::string& state) {
  detail::Checksum sum;
  sum.add(state.data(), state.size());
  // By key, since a file may give the tensors in another order than they were written in.
  std::vector<std::pair<std::string, torch::Tensor>> items;
  for (const auto& item : tensors) {
    items.emplace_back(item.key(), item.value());
  }
  std::sort(
      items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, tensor] : items) {
    sum.add(key.data(), key.size());
    const auto bytes = tensor.detach().to(torch::kCPU).contiguous();
    sum.add(bytes.const_data_ptr(), bytes.nbytes());
  }
  return sum.text();
}

std::string state_to_json(const RunState& state) {
  nlohmann::json json = {
      {"epoch", state.epoch},
      {"step", state.step},
      {"best_epoch", state.best_epoch},
      {"best_top1", state.best_top1},
      {"best_loss", state.best_loss},
      {"run", state.run}};
  if (state.progress.updates > 0) {
    json["progress"] = {
        {"updates", state.progress.updates},
        {"images", state.progress.images},
        {"loss_sum", state.progress.loss_sum},
        {"seconds", state.progress.seconds},
        {"skipped_updates", state.progress.skipped_updates}};
  }
  if (state.scaler) {
    json["scaler"] = {
        {"scale", state.scaler->scale},
        {"growth_tracker", state.scaler->growth_tracker},
        {"skipped_updates", state.scaler->skipped_updates}};
  }
  if (state.plateau) {
    json["plateau"] = {{"lr", state.plateau->lr}, {"bad_epochs", state.plateau->bad_epochs}};
    if (state.plateau->best) {
      json["plateau"]["best"] = *state.plateau->best;
    }
  }
  if (!state.bad_images.empty()) {
    json["bad_images"] = state.bad_images;
  }
  return json.dump();
}

RunState state_from_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  RunState state;
  json.at("epoch").get_to(state.epoch);
  json.at("step").get_to(state.step);
  json.at("best_epoch").get_to(state.best_epoch);
  json.at("best_top1").get_to(state.best_top1);
  json.at("run").get_to(state.run);
  // An infinite loss is written as null.
  const auto loss = json.find("best_loss");
  state.best_loss = loss == json.end() || loss->is_null() ? std::numeric_limits<double>::infinity()
                                                          : loss->get<double>();
  if (const auto progress = json.find("progress"); progress != json.end()) {
    progress->at("updates").get_to(state.progress.updates);
    progress->at("images").get_to(state.progress.images);
    progress->at("loss_sum").get_to(state.progress.loss_sum);
    progress->at("seconds").get_to(state.progress.seconds);
    state.progress.skipped_updates = progress->value("skipped_updates", int64_t{0});
  }
  if (const auto plateau = json.find("plateau"); plateau != json.end()) {
    state.plateau.emplace();
    plateau->at("lr").get_to(state.plateau->lr);
    plateau->at("bad_epochs").get_to(state.plateau->bad_epochs);
    if (plateau->contains("best")) {
      state.plateau->best = plateau->at("best").get<double>();
    }
  }
  if (const auto scaler = json.find("scaler"); scaler != json.end()) {
    state.scaler.emplace();
    scaler->at("scale").get_to(state.scaler->scale);
    scaler->at("growth_tracker").get_to(state.scaler->growth_tracker);
    scaler->at("skipped_updates").get_to(state.scaler->skipped_updates);
  }
  state.bad_images = json.value("bad_images", state.bad_images);
  return state;
}

/// What the name of a checkpoint says; those of whole epochs have no number of updates.
struct Place {
  int64_t epoch = 0;
  int64_t updates = 0;

  bool operator>(const Place& other) const {
    const auto whole = std::numeric_limits<int64_t>::max();
    return std::pair(epoch, updates == 0 ? whole : updates) >
           std::pair(other.epoch, other.updates == 0 ? whole : other.updates);
  }
};

/// The place in the name of a checkpoint, or nothing for any other file.
std::optional<Place> place_of(const std::string& name) {
  Place place;
  const auto found =
      std::sscanf(name.c_str(), "epoch-%" SCNd64 "-update-%" SCNd64, &place.epoch, &place.updates);
  if (found < 1 || place.epoch < 1 || place.updates < 0 ||
      checkpoint_path("", place.epoch, place.updates) != name) {
    return std::nullopt;
  }
  return place;
}

/// Places that `folder` has a checkpoint of, newest first.
std::vector<Place> list_places(const std::string& folder) {
  std::vector<Place> places;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (const auto place = place_of(it->path().filename().string())) {
      places.push_back(*place);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw FileError(printable(folder) + ": cannot list: " + error.message());
  }
  std::sort(places.begin(), places.end(), std::greater<>());
  return places;
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  StateDict tensors;
  for (const auto& part : kParts) {
    for (const auto& item : checkpoint.*part.tensors) {
      tensors.insert(part.prefix + item.key(), item.value());
    }
  }
  const auto state = state_to_json(checkpoint.state);
  write_safetensors(path, tensors, {{kStateKey, state}, {kChecksumKey, checksum(tensors, state)}});
}

Checkpoint read_checkpoint(const std::string& path) {
  auto file = read_safetensors(path);
  const auto state = file.metadata.find(kStateKey);
  const auto sum = file.metadata.find(kChecksumKey);
  if (state == file.metadata.end() || sum == file.metadata.end()) {
    throw CheckpointError(printable(path) + ": is no checkpoint of a run (no '" + kStateKey + "')");
  }
  if (checksum(file.tensors, state->second) != sum->second) {
    throw CheckpointError(
        printable(path) + ": the checksum does not fit the tensors; is the disk damaged?");
  }
  Checkpoint checkpoint;
  try {
    checkpoint.state = state_from_json(state->second);
  } catch (const nlohmann::json::exception&) {
    throw CheckpointError(printable(path) + ": '" + kStateKey + "' is not what a run writes");
  }
  for (const auto& item : file.tensors) {
    const auto part = std::find_if(kParts.begin(), kParts.end(), [&](const Part& known) {
      return item.key().rfind(known.prefix, 0) == 0;
    });
    if (part == kParts.end()) {
      throw CheckpointError(
          printable(path) + ": '" + printable(item.key()) + "' does not belong to a run");
    }
    const auto key = item.key().substr(std::strlen(part->prefix));
    (checkpoint.*part->tensors).insert(key, item.value());
  }
  return checkpoint;
}

std::string checkpoint_path(const std::string& folder, int64_t epoch, int64_t updates) {
  char name[80];
  if (updates == 0) {
    std::snprintf(name, sizeof(name), "epoch-%04" PRId64 ".safetensors", epoch);
  } else {
    std::snprintf(
        name, sizeof(name), "epoch-%04" PRId64 "-update-%06" PRId64 ".safetensors", epoch, updates);
  }
  return (fs::path(folder) / name).string();
}

std::string checkpoint_path(const std::string& folder, const RunState& state) {
  const auto updates = state.progress.updates;
  return checkpoint_path(folder, updates == 0 ? state.epoch : state.epoch + 1, updates);
}

bool is_checkpoint_name(const std::string& name) {
  return place_of(name).has_value();
}

std::optional<Checkpoint> read_newest_checkpoint(
    const std::string& folder, const WarningHandler& warn) {
  const auto places = list_places(folder);
  for (const auto& place : places) {
    try {
      return read_checkpoint(checkpoint_path(folder, place.epoch, place.updates));
    } catch (const FileError& error) {
      if (warn) {
        warn(std::string(error.what()) + "; trying the checkpoint before it");
      }
    }
  }
  if (!places.empty()) {
    throw CheckpointError(printable(folder) + ": none of the checkpoints can be read");
  }
  return std::nullopt;
}

void remove_other_checkpoints(const std::string& folder, const RunState& state, int64_t keep) {
  const auto written = place_of(fs::path(checkpoint_path(folder, state)).filename().string());
  int64_t kept = 0;
  for (const auto& place : list_places(folder)) {
    const bool newer = written && place > *written;
    if (newer || ++kept > keep) {
      std::error_code ignored;  // an old file that stays does no harm
      fs::remove(checkpoint_path(folder, place.epoch, place.updates), ignored);
    }
  }
}

void restore_module(torch::nn::Module& module, const StateDict& tensors) {
  const torch::NoGradGuard no_grad;
  const auto own = state_dict(module);
  for (const auto& item : own) {
    const auto* const value = tensors.find(item.key());
    if (value == nullptr || value->sizes() != item.value().sizes() ||
        value->scalar_type() != item.value().scalar_type()) {
      throw CheckpointError(
          "checkpoint: '" + printable(item.key()) + "' is " +
          (value == nullptr ? "missing" : "of another shape or type than the model's"));
    }
  }
  if (tensors.size() != own.size()) {
    throw CheckpointError(
        "checkpoint: has " + std::to_string(tensors.size()) + " tensors, the model has " +
        std::to_string(own.size()));
  }
  for (const auto& item : own) {
    item.value().copy_(tensors[item.key()]);
  }
}

}  // namespace vitrine
