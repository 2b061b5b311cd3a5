#include "vitrine/train/train_options.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// How each type of option is written and read; the plain ones as nlohmann does it.

template <typename T>
Json to_value(const T& value) {
  return value;
}
template <typename T>
void from_value(const Json& json, T& value) {
  value = json.get<T>();
}

// nlohmann would cut a fraction off, wrap a number that is too large, and take true for 1.
void from_value(const Json& json, int64_t& value) {
  const bool fits =
      !json.is_number_unsigned() ||
      json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<int64_t>::max());
  if (!json.is_number_integer() || !fits) {
    throw std::invalid_argument("a whole number");
  }
  value = json.get<int64_t>();
}
void from_value(const Json& json, std::uint64_t& value) {
  if (!json.is_number_unsigned()) {
    throw std::invalid_argument("a whole number of at least 0");
  }
  value = json.get<std::uint64_t>();
}
void from_value(const Json& json, double& value) {
  if (!json.is_number()) {
    throw std::invalid_argument("a number");
  }
  value = json.get<double>();
}

Json to_value(const ScheduleKind& kind) {
  return to_string(kind);
}
void from_value(const Json& json, ScheduleKind& kind) {
  kind = parse_schedule(json.get<std::string>());
}

Json to_value(const OptimizerKind& kind) {
  return to_string(kind);
}
void from_value(const Json& json, OptimizerKind& kind) {
  kind = parse_optimizer(json.get<std::string>());
}

Json to_value(const std::vector<Interpolation>& filters) {
  Json json = Json::array();
  for (const auto filter : filters) {
    json.push_back(to_string(filter));
  }
  return json;
}
void from_value(const Json& json, std::vector<Interpolation>& filters) {
  filters.clear();
  for (const auto& name : json.get<std::vector<std::string>>()) {
    filters.push_back(parse_interpolation(name));
  }
}

Json to_value(const ModelOptions& options) {
  Json json = Json::object();
  for (const auto& [name, value] : options.values()) {
    std::visit([&, &key = name](const auto& v) { json[key] = v; }, value);
  }
  return json;
}
void from_value(const Json& json, ModelOptions& options) {
  options = {};
  for (const auto& [name, value] : json.get<std::map<std::string, Json>>()) {
    if (value.is_boolean()) {
      options.set(name, value.get<bool>());
    } else if (value.is_number_integer()) {
      options.set(name, value.get<int64_t>());
    } else if (value.is_number()) {
      options.set(name, value.get<double>());
    } else if (value.is_string()) {
      options.set(name, value.get<std::string>());
    } else {
      options.set(name, value.get<std::vector<int64_t>>());
    }
  }
}

Json to_value(const std::optional<PreprocessOptions>& options) {
  if (!options) {
    return nullptr;
  }
  return {
      {"height", options->height()},
      {"width", options->width()},
      {"crop_pct", options->crop_pct()},
      {"crop_mode", to_string(options->crop_mode())},
      {"interpolation", to_string(options->interpolation())},
      {"mean", options->mean()},
      {"std", options->std()}};
}
void from_value(const Json& json, std::optional<PreprocessOptions>& options) {
  if (json.is_null()) {
    options.reset();
    return;
  }
  options = PreprocessOptions()
                .height(json.at("height").get<int64_t>())
                .width(json.at("width").get<int64_t>())
                .crop_pct(json.at("crop_pct").get<double>())
                .crop_mode(parse_crop_mode(json.at("crop_mode").get<std::string>()))
                .interpolation(parse_interpolation(json.at("interpolation").get<std::string>()))
                .mean(json.at("mean").get<std::array<double, 3>>())
                .std(json.at("std").get<std::array<double, 3>>());
}

/// One option of a run: its name, and how it is written and read.
struct Field {
  std::string name;
  std::function<Json(const TrainOptions&)> write;
  std::function<void(TrainOptions&, const Json&)> read;
};

/// `access` gives a reference to the option in a TrainOptions, constant or not.
template <typename Access>
Field field(const char* name, Access access) {
  return {
      name,
      [access](const TrainOptions& options) { return to_value(access(options)); },
      [access](TrainOptions& options, const Json& json) { from_value(json, access(options)); }};
}

std::vector<Field> data_fields() {
  return {
      field(
          "data", [](auto& o) -> auto& { return o.data(); }),
      field(
          "val_fraction", [](auto& o) -> auto& { return o.val_fraction(); }),
      field(
          "skip_bad_images", [](auto& o) -> auto& { return o.skip_bad_images(); }),
      field(
          "max_bad_images", [](auto& o) -> auto& { return o.max_bad_images(); }),
      field(
          "model", [](auto& o) -> auto& { return o.model(); }),
      field(
          "model_options", [](auto& o) -> auto& { return o.model_options(); }),
      field(
          "weights", [](auto& o) -> auto& { return o.weights(); }),
      field(
          "reset_head", [](auto& o) -> auto& { return o.reset_head(); }),
      field(
          "freeze", [](auto& o) -> auto& { return o.freeze(); }),
      field(
          "preprocess", [](auto& o) -> auto& { return o.preprocess(); }),
      field(
          "scale", [](auto& o) -> auto& { return o.augment().scale(); }),
      field(
          "ratio", [](auto& o) -> auto& { return o.augment().ratio(); }),
      field(
          "hflip", [](auto& o) -> auto& { return o.augment().hflip(); }),
      field(
          "vflip", [](auto& o) -> auto& { return o.augment().vflip(); }),
      field(
          "degrees", [](auto& o) -> auto& { return o.augment().degrees(); }),
      field(
          "translate", [](auto& o) -> auto& { return o.augment().translate(); }),
      field(
          "affine_scale", [](auto& o) -> auto& { return o.augment().affine_scale(); }),
      field(
          "no_aug", [](auto& o) -> auto& { return o.augment().no_aug(); }),
      field(
          "train_interpolation",
          [](auto& o) -> auto& { return o.augment().train_interpolation(); })};
}

std::vector<Field> all_fields() {
  auto fields = data_fields();
  const std::vector<Field> rest = {
      field(
          "opt", [](auto& o) -> auto& { return o.optimizer().opt(); }),
      field(
          "weight_decay", [](auto& o) -> auto& { return o.optimizer().weight_decay(); }),
      field(
          "momentum", [](auto& o) -> auto& { return o.optimizer().momentum(); }),
      field(
          "nesterov", [](auto& o) -> auto& { return o.optimizer().nesterov(); }),
      field(
          "beta1", [](auto& o) -> auto& { return o.optimizer().beta1(); }),
      field(
          "beta2", [](auto& o) -> auto& { return o.optimizer().beta2(); }),
      field(
          "eps", [](auto& o) -> auto& { return o.optimizer().eps(); }),
      field(
          "layer_decay", [](auto& o) -> auto& { return o.layer_decay(); }),
      field(
          "sched", [](auto& o) -> auto& { return o.sched(); }),
      field(
          "lr", [](auto& o) -> auto& { return o.lr(); }),
      field(
          "min_lr", [](auto& o) -> auto& { return o.min_lr(); }),
      field(
          "warmup_lr", [](auto& o) -> auto& { return o.warmup_lr(); }),
      field(
          "epochs", [](auto& o) -> auto& { return o.epochs(); }),
      field(
          "warmup_epochs", [](auto& o) -> auto& { return o.warmup_epochs(); }),
      field(
          "smoothing", [](auto& o) -> auto& { return o.smoothing(); }),
      field(
          "clip_grad", [](auto& o) -> auto& { return o.clip_grad(); }),
      field(
          "batch_size", [](auto& o) -> auto& { return o.batch_size(); }),
      field(
          "seed", [](auto& o) -> auto& { return o.seed(); })};
  fields.insert(fields.end(), rest.begin(), rest.end());
  return fields;
}

}  // namespace

void check_options(const TrainOptions& options) {
  check_options(options.optimizer());
  check_options(options.augment());
  TORCH_CHECK_VALUE(
      options.layer_decay() > 0 && options.layer_decay() <= 1,
      "layer_decay has to be above 0 and at most 1, but got ",
      options.layer_decay());
  TORCH_CHECK_VALUE(
      options.epochs() >= 1 && options.epochs() <= kMostEpochs,
      "epochs has to be between 1 and ",
      kMostEpochs,
      ", but got ",
      options.epochs());
  TORCH_CHECK_VALUE(
      options.warmup_epochs() >= 0 && options.warmup_epochs() <= kMostEpochs,
      "warmup_epochs has to be between 0 and ",
      kMostEpochs,
      ", but got ",
      options.warmup_epochs());
  if (options.preprocess()) {
    preprocess(torch::zeros({1, 1, 3}, torch::kUInt8), *options.preprocess());
  }
  check_options(make_schedule(options, 1));
  TORCH_CHECK_VALUE(
      options.smoothing() >= 0 && options.smoothing() < 1,
      "smoothing has to be at least 0 and below 1, but got ",
      options.smoothing());
  TORCH_CHECK_VALUE(
      std::isfinite(options.clip_grad()) && options.clip_grad() >= 0,
      "clip_grad has to be at least 0, but got ",
      options.clip_grad());
  TORCH_CHECK_VALUE(
      options.batch_size() >= 1, "batch_size has to be at least 1, but got ", options.batch_size());
  TORCH_CHECK_VALUE(
      options.workers() >= 0 && options.workers() <= 256,
      "workers has to be between 0 and 256, but got ",
      options.workers());
  TORCH_CHECK_VALUE(!options.data().empty(), "data has to name a folder or a list");
  TORCH_CHECK_VALUE(
      options.val_fraction() >= 0 && options.val_fraction() < 1,
      "val_fraction has to be at least 0 and below 1, but got ",
      options.val_fraction());
  TORCH_CHECK_VALUE(
      options.max_bad_images() >= 0,
      "max_bad_images has to be at least 0, but got ",
      options.max_bad_images());
  TORCH_CHECK_VALUE(!options.output().empty(), "output has to name a folder");
}

ScheduleOptions make_schedule(const TrainOptions& options, int64_t updates_per_epoch) {
  return ScheduleOptions()
      .sched(options.sched())
      .lr(options.lr())
      .min_lr(options.min_lr())
      .warmup_lr(options.warmup_lr())
      .warmup_updates(options.warmup_epochs() * updates_per_epoch)
      .total_updates(options.epochs() * updates_per_epoch);
}

std::string train_options_to_json(const TrainOptions& options) {
  Json json = Json::object();
  for (const auto& field : all_fields()) {
    json[field.name] = field.write(options);
  }
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

TrainOptions train_options_from_json(const std::string& text, const TrainOptions& base) {
  const auto fields = all_fields();
  auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("options")) {
    json = Json(json["options"]);
  }
  if (!json.is_object()) {
    throw Error("options of a run: expected a JSON object, as in a run's config.json");
  }
  auto options = base;
  for (const auto& [name, value] : json.items()) {
    const auto found = std::find_if(
        fields.begin(), fields.end(), [&, &key = name](const Field& f) { return f.name == key; });
    if (found == fields.end()) {
      std::vector<std::string> names;
      for (const auto& field : fields) {
        names.push_back(field.name);
      }
      throw UnknownNameError("option of a run", name, names);
    }
    try {
      found->read(options, value);
    } catch (const Json::exception&) {
      throw Error("option " + name + " of a run: " + printable(value.dump()) + " has a wrong type");
    } catch (const std::invalid_argument& error) {
      throw Error(
          "option " + name + " of a run: got " + printable(value.dump()) + ", expected " +
          error.what());
    }
  }
  return options;
}

}  // namespace vitrine
