#include "train/run_config.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"
#include "vitrine/version.h"

#include "train/checksum.h"
#include "weights/weights_file.h"

namespace vitrine::detail {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string shown(const OrderedJson& value) {
  return printable(value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
}

/// Whether an option is a path: the same files may have another one by now.
bool is_path(const std::string& name) {
  return name == "data" || name == "weights" || name == "teacher";
}

/// Name of the first entry of `now` that `earlier` has with another value, or ""; paths alone, or
/// all but paths.
std::string find_difference(
    const OrderedJson& earlier, const OrderedJson& now, bool paths = false) {
  for (const auto& [name, value] : now.items()) {
    const auto found = earlier.find(name);
    if (is_path(name) == paths && found != earlier.end() && *found != value) {
      return name;
    }
  }
  return "";
}

/// The checksum of images in their order, which is the sampler's: names, sizes of files and
/// classes, or the bytes of a file that packs them. `data` may lie elsewhere by now, so that paths
/// count from it on.
std::string images_checksum(const std::vector<ImageSample>& samples, const std::string& data) {
  namespace fs = std::filesystem;
  std::error_code ignored;  // of a file that is missing, which may be a bad image to skip
  const auto root = fs::is_directory(data, ignored) ? fs::path(data) : fs::path(data).parent_path();
  const auto prefix = (root / "").string();
  Checksum sum;
  const PackedImages* packed = nullptr;
  for (const auto& sample : samples) {
    if (sample.packed && sample.packed.get() != packed) {
      packed = sample.packed.get();
      sum.add(packed->bytes.data(), packed->bytes.size());
    } else if (!sample.packed) {
      const bool below = sample.path.rfind(prefix, 0) == 0;
      const auto name = below ? sample.path.substr(prefix.size()) : sample.path;
      sum.add(name.data(), name.size());
      const auto size = fs::file_size(sample.path, ignored);
      sum.add(ignored ? 0 : size);
    }
    sum.add(static_cast<std::uint64_t>(sample.record));
    sum.add(static_cast<std::uint64_t>(sample.label));
  }
  return sum.text();
}

/// Adds what a file holds.
void add_file(const std::string& path, Checksum& sum) {
  File file(path, File::Mode::Read);
  std::vector<char> bytes(std::size_t{1} << 20);  // whole words, of which the sum is
  const auto size = file.size();
  for (std::uint64_t at = 0; at < size; at += bytes.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size - at, bytes.size()));
    file.read_at(at, bytes.data(), count);
    sum.add(bytes.data(), count);
  }
}

/// The checksum of a model's file, of its folder, or of an index with the files beside it.
std::string model_checksum(const std::string& model) {
  namespace fs = std::filesystem;
  const fs::path file = checkpoint_path(model);
  Checksum sum;
  add_file(file.string(), sum);
  if (file.extension() == ".json") {
    std::set<std::string> shards;
    for (const auto& entry : fs::directory_iterator(fs::absolute(file).parent_path())) {
      if (entry.path().extension() == ".safetensors") {
        shards.insert(entry.path().string());
      }
    }
    for (const auto& shard : shards) {
      add_file(shard, sum);
    }
  }
  return sum.text();
}

/// Throws Error where the images of `part`, "train" or "val", are no longer those of the run.
void compare_images(
    const std::string& folder,
    const std::string& part,
    const OrderedJson& before,
    const OrderedJson& current) {
  const auto count = part + "_images";
  const auto checksum = part + "_checksum";
  const bool same_count = before.value(count, OrderedJson()) == current[count];
  // A run begun before there were checksums has none.
  if (same_count && before.value(checksum, current[checksum]) == current[checksum]) {
    return;
  }
  throw Error(
      printable(folder) + ": the images to " + (part == "train" ? "train on" : "validate") +
      " have changed since the run was begun: " + shown(before.value(count, OrderedJson())) +
      " then, " + shown(current[count]) + " now" +
      (same_count ? ", but with other names, classes or sizes of files, or in another order" : "") +
      "; choose another output folder, or start anew (--fresh)");
}

}  // namespace

std::string make_run_config(const TrainOptions& options, const ImageSplits& splits) {
  OrderedJson config;
  config["options"] = OrderedJson::parse(train_options_to_json(options));
  config["data"] = {
      {"classes", splits.train.classes},
      {"train_images", splits.train.samples.size()},
      {"val_images", splits.val.samples.size()},
      {"train_checksum", images_checksum(splits.train.samples, options.data())},
      {"val_checksum", images_checksum(splits.val.samples, options.data())}};
  std::error_code ignored;  // of a teacher that is missing, which is told where it is opened
  if (std::filesystem::exists(options.teacher(), ignored)) {
    config["data"]["teacher_checksum"] = model_checksum(options.teacher());
  }
  config["running"] = OrderedJson::parse(running_options_to_json(options));
  config["environment"] = {
      {"vitrine", version()},
      {"libtorch", libtorch_version()},
      {"threads", at::get_num_threads()},
      {"device", c10::DeviceTypeName(options.device().type(), /*lower_case=*/true)},
      {"deterministic", at::globalContext().deterministicAlgorithms()}};
  return config.dump(2, ' ', /*ensure_ascii=*/false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string with_running_options(const std::string& config, const TrainOptions& options) {
  auto json = OrderedJson::parse(config);
  json["running"] = OrderedJson::parse(running_options_to_json(options));
  return json.dump(2, ' ', /*ensure_ascii=*/false, OrderedJson::error_handler_t::replace) + "\n";
}

void compare_run_configs(
    const std::string& folder,
    const std::string& earlier,
    const std::string& now,
    const WarningHandler& warn) {
  const auto before = OrderedJson::parse(earlier);
  const auto current = OrderedJson::parse(now);
  const auto tell = [&](const char* part, const std::string& name) {
    return printable(folder) + ": the run was begun with " + name + " " +
           shown(before[part][name]) + ", now it is " + shown(current[part][name]);
  };
  const auto moved = find_difference(before["options"], current["options"], /*paths=*/true);
  if (!moved.empty()) {
    warn(tell("options", moved) + "; it has to hold the same");
  }
  const auto option = find_difference(before["options"], current["options"]);
  if (!option.empty() || before["data"]["classes"] != current["data"]["classes"]) {
    throw Error(
        (option.empty() ? tell("data", "classes") : tell("options", option)) +
        "; choose another output folder, or start anew (--fresh)");
  }
  for (const auto* part : {"train", "val"}) {
    compare_images(folder, part, before["data"], current["data"]);
  }
  const auto* const teacher = "teacher_checksum";
  const auto teacher_now = current["data"].value(teacher, OrderedJson());
  if (before["data"].value(teacher, teacher_now) != teacher_now && !teacher_now.is_null()) {
    throw Error(
        printable(folder) +
        ": the teacher is no longer the file it was when the run was begun; "
        "choose another output folder, or start anew (--fresh)");
  }
  const auto environment = find_difference(before["environment"], current["environment"]);
  if (!environment.empty()) {
    warn(tell("environment", environment) + "; results will differ in their last bits");
  }
}

}  // namespace vitrine::detail
