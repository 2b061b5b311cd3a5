#include "train/run_config.h"

#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/version.h"

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

}  // namespace

std::string make_run_config(const TrainOptions& options, const ImageSplits& splits) {
  OrderedJson config;
  config["options"] = OrderedJson::parse(train_options_to_json(options));
  config["data"] = {
      {"classes", splits.train.classes},
      {"train_images", splits.train.samples.size()},
      {"val_images", splits.val.samples.size()}};
  config["environment"] = {
      {"vitrine", version()},
      {"libtorch", libtorch_version()},
      {"threads", at::get_num_threads()},
      {"device", c10::DeviceTypeName(options.device().type(), /*lower_case=*/true)}};
  return config.dump(2, ' ', /*ensure_ascii=*/false, OrderedJson::error_handler_t::replace) + "\n";
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
  for (const auto* part : {"options", "data", "environment"}) {
    const auto name = find_difference(before[part], current[part]);
    if (name.empty()) {
      continue;
    }
    const auto message = tell(part, name);
    if (part == std::string("environment")) {
      warn(message + "; results will differ in their last bits");
    } else {
      throw Error(message + "; choose another output folder, or start anew (fresh)");
    }
  }
}

}  // namespace vitrine::detail
