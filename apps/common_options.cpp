#include "common_options.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <dlfcn.h>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <variant>
#include <vector>

#include "vitrine/device.h"
#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/text.h"
#include "vitrine/train/run_checkpoints.h"
#include "vitrine/train/train_options.h"
#include "vitrine/weights/model_file.h"

namespace vitrine {
namespace {

constexpr std::int64_t kMostThreads = 1024;
constexpr std::int64_t kMostWorkers = 256;
constexpr std::int64_t kLargestSide = 1 << 14;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 4 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string expected_device(const std::string& text) {
  const bool known = text == "auto" || text == "cpu" || text == "cuda" ||
                     (text.rfind("cuda:", 0) == 0 && is_number(text.substr(5)));
  return known ? "" : "auto, cpu, cuda or cuda:N";
}

/// Rows and columns of "224" or "224x320"; empty when the text is neither.
std::vector<std::int64_t> parse_image_size(const std::string& text) {
  std::vector<std::int64_t> sides;
  for (const auto& part : split(text, 'x')) {
    std::int64_t side = 0;
    if (!parse_whole(part, side) || side < 1 || side > kLargestSide) {
      return {};
    }
    sides.push_back(side);
  }
  if (sides.size() == 1) {
    sides.push_back(sides[0]);
  }
  return sides.size() == 2 ? sides : std::vector<std::int64_t>();
}

std::string expected_image_size(const std::string& text) {
  return parse_image_size(text).empty() ? "a side of 1 to " + std::to_string(kLargestSide) +
                                              " pixels, or rows and columns as 224x320"
                                        : "";
}

std::string expected_model_kwargs(const std::string& text) {
  for (const auto& part : split(text, ',')) {
    const auto equal = part.find('=');
    if (equal == std::string::npos || equal == 0 || equal + 1 == part.size()) {
      return "NAME=VALUE[,NAME=VALUE...]";
    }
  }
  return "";
}

/// true or false, a whole number, a number, whole numbers with + or x between, else a text.
OptionValue parse_option_value(const std::string& text) {
  if (text == "true" || text == "false") {
    return text == "true";
  }
  std::int64_t whole = 0;
  if (parse_whole(text, whole)) {
    return whole;
  }
  double real = 0;
  if (parse_real(text, real)) {
    return real;
  }
  for (const char separator : {'+', 'x'}) {
    std::vector<std::int64_t> list;
    const auto parts = split(text, separator);
    const bool numbers = std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
      return parse_whole(part, list.emplace_back());
    });
    if (numbers) {
      return list;
    }
  }
  return text;
}

std::array<double, 3> triple(const std::vector<double>& values) {
  return {values.at(0), values.at(1), values.at(2)};
}

std::string default_workers() {
  const auto cores = std::max(std::thread::hardware_concurrency(), 1U);
  return std::to_string(std::min(cores, 8U));
}

/// The seed of the run that made the weights at `path`, a file, a run's checkpoint or its folder,
/// where their card tells it.
std::optional<std::int64_t> told_seed(const std::string& path) {
  std::error_code ignored;
  const auto best = run_of_checkpoint(path).value_or(path) + "/best.safetensors";
  const auto card = read_card(std::filesystem::exists(best, ignored) ? best : path);
  if (!card || card->provenance.count("seed") == 0) {
    return std::nullopt;
  }
  std::int64_t seed = 0;
  const bool whole = parse_whole(card->provenance.at("seed"), seed) && seed >= 0;
  return whole ? std::optional(seed) : std::nullopt;
}

/// From which --val-fraction draws.
std::int64_t choose_split_seed(const Arguments& arguments) {
  const auto seed = arguments.whole("seed");
  if (arguments.given("seed") || arguments.real("val-fraction") == 0) {
    return seed;
  }
  std::set<std::optional<std::int64_t>> told;
  for (const auto& path : arguments.all("weights")) {
    told.insert(told_seed(path));
  }
  if (told.size() > 1) {
    note(
        arguments,
        "--val-fraction draws by seed " + std::to_string(seed) +
            ", since not all --weights tell the same; it may set images apart that some were "
            "trained on");
    return seed;
  }
  return told.empty() ? seed : told.begin()->value_or(seed);
}

}  // namespace

OptionSpec model_kwargs_option() {
  return {
      "model-kwargs",
      "NAME=VALUE,...",
      "options of the model by timm's names; a list as 2+2+6+2 or 224x320; may be repeated",
      "",
      expected_model_kwargs};
}

OptionSpec checkpoint_key_option() {
  return text_option(
      "checkpoint-key", "KEY", "dict of a PyTorch file that holds the weights, such as model_ema");
}

OptionSpec num_classes_option() {
  return whole_option("num-classes", "classes of the head", "", 1, 1'000'000);
}

OptionSpec image_size_option() {
  return {
      "image-size",
      "N",
      "side of the model's input in pixels, or ROWSxCOLUMNS",
      "",
      expected_image_size};
}

OptionSpec seed_option() {
  return whole_option("seed", "seed of everything random", "0", 0);
}

OptionSpec val_fraction_option() {
  return real_option(
      "val-fraction",
      "share of each class to judge by, where DATA has no part for it",
      "0",
      Range::from_below(0, 1));
}

OptionSpec split_seed_option() {
  const auto seed = std::to_string(TrainOptions().seed());
  return whole_option(
      "seed",
      "from which --val-fraction draws, as for 'train'; not given, that of the run that made "
      "--weights, where they tell it",
      seed,
      0);
}

OptionSpec workers_option(int64_t least) {
  return whole_option(
      "workers", "threads that read images", default_workers(), least, kMostWorkers);
}

OptionSpec quiet_option() {
  return flag_option("quiet", "write errors only to standard error");
}

OptionGroup checkpoint_group() {
  auto group = model_group();
  group.options.erase(group.options.begin());
  return group;
}

OptionGroup model_group(bool head) {
  OptionGroup group{
      "Model",
      {text_option("weights", "FILE", "safetensors or PyTorch file with the weights"),
       checkpoint_key_option(),
       text_option("model", "NAME", "model of the zoo, where the file does not tell it")}};
  if (head) {
    group.options.push_back(num_classes_option());
    group.options.push_back(text_option("labels", "FILE", "names of the classes, one a line"));
  }
  group.options.push_back(model_kwargs_option());
  return group;
}

OptionGroup preprocessing_group() {
  return {
      "Preprocessing, where it should differ from the card",
      {image_size_option(),
       real_option(
           "crop-pct",
           "share of the scaled image that the crop keeps",
           "",
           Range::above_up_to(0, 1)),
       choice_option("crop-mode", {"center", "squash", "border"}, "how an image comes to the size"),
       choice_option("interpolation", {"bicubic", "bilinear", "nearest"}, "filter of the resize"),
       reals_option(
           "mean", "R,G,B", "mean of the channels, of values in [0, 1]", "", 3, Range::any()),
       reals_option("std", "R,G,B", "their deviation", "", 3, Range::closed(1e-6, 1e6))}};
}

OptionGroup running_group(const std::string& batch_size) {
  OptionSpec device{
      "device",
      "auto|cpu|cuda[:N]",
      "where the model runs; auto: the first GPU, else the CPU",
      "auto",
      expected_device};
  return {
      "Running",
      {device,
       choice_option(
           "precision",
           {"fp32", "bf16", "fp16"},
           "numbers that the model computes with; weights stay fp32",
           "fp32"),
       whole_option(
           "threads", "threads of one operation; default: one for each core", "", 1, kMostThreads),
       whole_option("batch-size", "images at a time", batch_size, 1, 1 << 20),
       workers_option(),
       quiet_option()}};
}

void note(const Arguments& arguments, const std::string& text) {
  if (!arguments.flag("quiet")) {
    std::cerr << "vitrine: " << text << std::endl;
  }
}

c10::Device open_device(const Arguments& arguments) {
  const auto device = find_device(arguments.text("device"));
  if (arguments.text("device") == "auto" && !cuda_problem().empty()) {
    // Without a driver there is nothing to tell; with one, the user may wonder about the missing
    // GPU.
    void* driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    if (driver != nullptr) {
      ::dlclose(driver);
      note(arguments, "using the CPU: " + cuda_problem());
    }
  }
  if (arguments.given("threads")) {
    at::set_num_threads(static_cast<int>(arguments.whole("threads")));
  }
  return device;
}

Precision read_precision(const Arguments& arguments) {
  return parse_precision(arguments.text("precision"));
}

ImageSplits find_splits(const Arguments& arguments, const std::string& path) {
  const auto seed = choose_split_seed(arguments);
  return scan_image_splits(path, arguments.real("val-fraction"), static_cast<std::uint64_t>(seed));
}

ModelOptions model_options(const Arguments& arguments, const std::string& family) {
  ModelOptions options;
  for (const auto& given : arguments.all("model-kwargs")) {
    for (const auto& part : split(given, ',')) {
      const auto equal = part.find('=');
      options.set(part.substr(0, equal), parse_option_value(part.substr(equal + 1)));
    }
  }
  if (arguments.given("num-classes") && options.values().count("num_classes") != 0) {
    throw UsageError(
        "--num-classes and num_classes of --model-kwargs say the same: give one of them");
  }
  if (arguments.given("num-classes")) {
    options.num_classes(arguments.whole("num-classes"));
  }
  // A MobileViT takes any size as it is.
  if (arguments.given("image-size") && family != "mobilevit") {
    if (options.values().count("img_size") != 0) {
      throw UsageError(
          "--image-size and img_size of --model-kwargs say the same: give one of them");
    }
    options.set("img_size", parse_image_size(arguments.text("image-size")));
  }
  return options;
}

void check_image_size(const ModelCard& card, const ModelOptions& given, const std::string& path) {
  ModelOptions sizes;
  for (const auto* source : {&card.options, &given}) {
    for (const auto* name : {"img_size", "patch_size"}) {
      const auto found = source->values().find(name);
      if (found != source->values().end()) {
        sizes.set(name, found->second);
      }
    }
  }
  if (given.values().count("img_size") == 0) {
    return;
  }
  try {
    check_image_size(card.architecture, sizes);
  } catch (const c10::ValueError& error) {
    if (path.empty()) {
      throw;
    }
    throw Error(printable(path) + ": " + error.what_without_backtrace());
  }
}

PreprocessOptions preprocess_options(const Arguments& arguments, PreprocessOptions preprocess) {
  const auto options = model_options(arguments, "").values();
  const auto size = options.find("img_size");
  if (size != options.end()) {
    const auto* sides = std::get_if<std::vector<std::int64_t>>(&size->second);
    const auto* side = std::get_if<std::int64_t>(&size->second);
    if (sides && sides->size() == 2) {
      preprocess.height(sides->front()).width(sides->back());
    } else if (side) {
      preprocess.height(*side).width(*side);
    }
  }
  if (arguments.given("crop-pct")) {
    preprocess.crop_pct(arguments.real("crop-pct"));
  }
  if (arguments.given("crop-mode")) {
    preprocess.crop_mode(parse_crop_mode(arguments.text("crop-mode")));
  }
  if (arguments.given("interpolation")) {
    preprocess.interpolation(parse_interpolation(arguments.text("interpolation")));
  }
  if (arguments.given("mean")) {
    preprocess.mean(triple(arguments.reals("mean")));
  }
  if (arguments.given("std")) {
    preprocess.std(triple(arguments.reals("std")));
  }
  return preprocess;
}

}  // namespace vitrine
