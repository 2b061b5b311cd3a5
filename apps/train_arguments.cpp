#include "train_arguments.h"

#include <c10/util/Exception.h>

#include <nlohmann/json.hpp>

#include <ctime>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"
#include "vitrine/train/training_run.h"

#include "common_options.h"
#include "option_effects.h"
#include "train_flags.h"

namespace vitrine {
namespace {

constexpr std::size_t kMostConfigBytes = std::size_t{16} << 20;

/// `path` as it is from everywhere, so that a run can go on from another folder.
std::string absolute(const std::string& path) {
  const auto normal = std::filesystem::absolute(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).string();
}

/// The options in a config.json, checked; whatever is wrong with them is the file's fault, not the
/// command line's.
TrainOptions read_config(const std::string& path) {
  const auto bytes = read_file(path, kMostConfigBytes);
  try {
    auto options = train_options_from_json({bytes.begin(), bytes.end()});
    auto complete = options;
    check_options(complete.output("."));
    return options;
  } catch (const c10::ValueError& error) {
    throw FileError(printable(path) + ": " + error.what_without_backtrace());
  } catch (const Error& error) {
    throw FileError(printable(path) + ": " + error.what());
  }
}

/// Refuses options of the model that follow from something else.
void check_given(const ModelOptions& given) {
  if (given.values().count("num_classes") != 0) {
    throw UsageError("train: num_classes follows from DATA and cannot be set");
  }
  if (given.values().count("in_chans") != 0) {
    throw UsageError("train: in_chans is 3 wherever images come from files, and cannot be set");
  }
}

std::string default_output(const TrainOptions& options) {
  const auto name = starting_card(options).architecture;  // whatever alias was given
  const auto now = std::time(nullptr);
  std::tm local{};
  char text[32];
  std::strftime(text, sizeof(text), "%Y%m%d-%H%M%S", ::localtime_r(&now, &local));
  return "runs/" + name + "-" + text;
}

bool differs_in_preprocessing(const Arguments& arguments) {
  for (const auto& option : preprocessing_group().options) {
    if (arguments.given(option.name)) {
      return true;
    }
  }
  return arguments.given("model-kwargs");  // which may set the size of images too
}

void apply_model(const Arguments& arguments, TrainOptions& options) {
  if (arguments.given("model")) {
    options.model(arguments.text("model"));
  }
  if (arguments.given("weights")) {
    options.weights(absolute(arguments.text("weights")));
  }
  if (arguments.given("reset-head")) {
    options.reset_head(arguments.flag("reset-head"));
  }
  if (options.model().empty() && options.weights().empty()) {
    throw UsageError("train: --model NAME is missing, or --weights FILE to start from");
  }
  const auto card = starting_card(options);
  const auto given = model_options(arguments, card.family);
  check_given(given);
  for (const auto& [name, value] : given.values()) {
    options.model_options().set(name, value);
  }
  check_image_size(card, options.model_options(), options.weights());
  if (differs_in_preprocessing(arguments)) {
    const auto base = options.preprocess().value_or(card.preprocess);
    options.preprocess(preprocess_options(arguments, base));
  }
}

/// What an earlier run's config.json says of these holds where the command line says nothing.
void apply_running(const Arguments& arguments, TrainOptions& options) {
  const bool earlier = arguments.given("config") || arguments.given("resume");
  const auto counts = [&](const char* name) { return arguments.given(name) || !earlier; };
  if (counts("workers")) {
    options.workers(arguments.whole("workers"));
  }
  if (counts("grad-checkpointing")) {
    options.grad_checkpointing(arguments.flag("grad-checkpointing"));
  }
  if (counts("save-every")) {
    options.save_every(arguments.whole("save-every"));
  }
  if (counts("keep")) {
    options.keep(arguments.whole("keep"));
  }
}

}  // namespace

TrainOptions read_train_options(const Arguments& arguments) {
  TrainOptions options;
  for (const auto* other : {"output", "config", "fresh"}) {
    if (arguments.given("resume") && arguments.given(other)) {
      throw UsageError(std::string("train: --resume goes on with a run; it excludes --") + other);
    }
  }
  if (arguments.given("resume")) {
    options =
        read_config(arguments.text("resume") + "/config.json").output(arguments.text("resume"));
  } else if (arguments.given("config")) {
    options = read_config(arguments.text("config"));
  }
  if (!arguments.operands().empty()) {
    options.data(absolute(arguments.operands()[0]));
  }
  if (options.data().empty()) {
    throw UsageError("train: DATA is missing; see 'vitrine train --help'");
  }
  if (arguments.given("output")) {
    options.output(arguments.text("output"));
  }
  options.fresh(arguments.flag("fresh"));
  apply_model(arguments, options);
  apply_training_arguments(arguments, options);
  check_effects(arguments, options);
  if (arguments.given("batch-size") || !(arguments.given("config") || arguments.given("resume"))) {
    options.batch_size(arguments.whole("batch-size"));
  }
  if (arguments.given("precision")) {
    options.precision(read_precision(arguments));
  }
  if (options.output().empty()) {
    options.output(default_output(options));
  }
  while (options.output().size() > 1 && options.output().back() == '/') {
    options.output().pop_back();
  }
  apply_running(arguments, options);
  return options;
}

bool wants_determinism(const Arguments& arguments) {
  if (arguments.flag("deterministic")) {
    return true;
  }
  const auto path = arguments.given("resume")   ? arguments.text("resume") + "/config.json"
                    : arguments.given("config") ? arguments.text("config")
                                                : "";
  if (path.empty()) {
    return false;
  }
  const auto bytes = read_file(path, kMostConfigBytes);
  const auto json = nlohmann::json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  const nlohmann::json::json_pointer place("/environment/deterministic");
  return json.is_object() && json.contains(place) && json.at(place) == true;
}

std::vector<OptionGroup> train_groups() {
  OptionGroup model{"Model", {}};
  for (const auto& option : model_group().options) {
    // The classes follow from DATA, and a training reads the weights that a file has of itself.
    if (option.name != "num-classes" && option.name != "labels" &&
        option.name != "checkpoint-key") {
      model.options.push_back(option);
    }
  }
  model.options.push_back(
      flag_option("reset-head", "start with a new head, and ignore that of --weights"));
  std::vector<OptionGroup> groups = {
      {"Run",
       {text_option("output", "DIR", "run folder; default: runs/<model>-<date>-<time>"),
        text_option("resume", "DIR", "go on with this run, by its own options"),
        flag_option("fresh", "start anew in a folder that holds a run"),
        whole_option(
            "save-every", "updates from one checkpoint to the next; 0: one an epoch", "0", 0),
        whole_option("keep", "checkpoints that are kept, the newest", "2", 1),
        text_option("config", "FILE", "options of an earlier run: its config.json")}},
      std::move(model)};
  for (auto& group : training_groups()) {
    groups.push_back(std::move(group));
  }
  groups.push_back(preprocessing_group());
  groups.push_back(running_group(std::to_string(TrainOptions().batch_size())));
  groups.back().options.push_back(flag_option(
      "grad-checkpointing",
      "compute blocks again for their gradients: less memory, more time, the same result"));
  groups.back().options.push_back(flag_option(
      "deterministic", "let no run on a GPU differ from the next in a bit, at the price of time"));
  return groups;
}

}  // namespace vitrine
