#include "run_model.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include "vitrine/data/random.h"
#include "vitrine/error.h"
#include "vitrine/layers/patch_embed.h"
#include "vitrine/models/registry.h"
#include "vitrine/text.h"
#include "vitrine/train/freeze.h"
#include "vitrine/train/training_run.h"
#include "vitrine/version.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/model_file.h"

#include "random_scope.h"

namespace vitrine {

ModelCard starting_card(const TrainOptions& options) {
  if (options.weights().empty()) {
    if (options.model().empty()) {
      throw Error("there is no model to train: name one");
    }
    return find_card(options.model());
  }
  ModelFileOptions file;
  if (!options.model().empty()) {
    file.architecture = options.model();
  }
  // A run that goes on needs no more of these weights than what its best model says of itself.
  const auto best = options.output() + "/best.safetensors";
  std::error_code ignored;
  const bool gone = !options.fresh() && !options.output().empty() &&
                    !std::filesystem::exists(options.weights(), ignored) &&
                    std::filesystem::exists(best, ignored);
  return find_model_card(gone ? best : options.weights(), file);
}

namespace detail {
namespace {

/// In words the first class that `labels`, of a file, call otherwise than `classes`; empty where
/// there is none, or the file names no classes.
std::string label_difference(
    const std::vector<std::string>& labels, const std::vector<std::string>& classes) {
  for (std::size_t i = 0; i < std::min(labels.size(), classes.size()); ++i) {
    if (labels[i] != classes[i]) {
      return "calls class " + std::to_string(i) + " '" + printable(labels[i]) + "', which is '" +
             printable(classes[i]) + "' here";
    }
  }
  return "";
}

/// Throws Error unless the teacher at `path` knows what the model of `card` is to learn.
void check_teacher(const std::string& path, const LoadedModel& teacher, const ModelCard& card) {
  const auto classes = static_cast<int64_t>(card.labels.size());
  const auto start = printable(path) + ": the teacher ";
  if (teacher.model->in_chans() != 3) {
    throw Error(
        start + "takes images of " + std::to_string(teacher.model->in_chans()) +
        " channels, but those of files have 3");
  }
  if (teacher.model->num_classes() != classes) {
    throw Error(
        start + "knows " + std::to_string(teacher.model->num_classes()) +
        " classes, but the images are of " + std::to_string(classes));
  }
  const auto difference = label_difference(teacher.card.labels, card.labels);
  if (!difference.empty()) {
    throw Error(start + difference + "; both need the same classes");
  }
}

/// Throws c10::ValueError where `model` does not take images of every side.
void check_scales(const std::vector<int64_t>& sides, const Classifier& model) {
  const auto options = model.model_options().values();
  if (sides.empty() || options.count("img_size") == 0) {
    return;
  }
  const auto dynamic = options.find("dynamic_img_size");
  TORCH_CHECK_VALUE(
      dynamic != options.end() && dynamic->second == OptionValue(true),
      "multi_scale needs a model that takes images of any size, a MobileViT or a ViT with "
      "dynamic_img_size=true, but this one takes those of its own alone");
  for (const auto side : sides) {
    check_image_size(Size2{side, side}, std::get<int64_t>(options.at("patch_size")));
  }
}

}  // namespace

ModelCard make_card(const TrainOptions& options, const std::vector<std::string>& classes) {
  auto card = starting_card(options);
  card.preprocess = options.preprocess().value_or(card.preprocess);
  // A MobileViT takes images of any size; the others are built for one.
  if (card.family != "mobilevit") {
    card.options.img_size(card.preprocess.height(), card.preprocess.width());
  }
  for (const auto& [name, value] : options.model_options().values()) {
    card.options.set(name, value);
  }
  card.options.num_classes(static_cast<int64_t>(classes.size()));
  card.labels = classes;
  card.provenance = {{"trained_with", std::string("vitrine ") + version()}};
  if (!options.weights().empty()) {
    card.provenance["started_from"] =
        printable(std::filesystem::path(options.weights()).filename().string());
  }
  if (!options.teacher().empty()) {
    card.provenance["learned_from"] =
        printable(std::filesystem::path(options.teacher()).filename().string());
  }
  return card;
}

std::shared_ptr<Classifier> make_model(
    const TrainOptions& options, const ModelCard& card, bool restored) {
  RandomScope random(torch::kCPU);
  random.seed(mix_seed(options.seed(), /*a=*/0, /*b=*/2));
  auto model = create_model(card.architecture, card.options);
  if (!options.weights().empty() && !restored) {
    const auto start = starting_card(options);
    load_weights(
        *model,
        options.weights(),
        LoadOptions().reset_head(options.reset_head()).origin(start.options));
    const auto difference = label_difference(start.labels, card.labels);
    if (!options.reset_head() && !difference.empty()) {
      throw Error(
          printable(options.weights()) + ": its head " + difference +
          "; it takes a new head (--reset-head), or classes in the same order");
    }
  }
  check_scales(options.multi_scale(), *model);
  freeze(*model, options.freeze());
  return model;
}

Teacher open_teacher(const TrainOptions& options, const ModelCard& card) {
  if (options.teacher().empty()) {
    return {};
  }
  const RandomScope random(torch::kCPU);  // building one draws weights
  auto loaded = load_model(options.teacher());
  check_teacher(options.teacher(), loaded, card);
  return make_teacher(
      std::move(loaded.model),
      loaded.card.preprocess,
      card.preprocess,
      options.device(),
      options.precision());
}

std::vector<int64_t> images_by_class(const ImageSet& set) {
  std::vector<int64_t> counts(set.classes.size());
  for (const auto& sample : set.samples) {
    ++counts[static_cast<std::size_t>(sample.label)];
  }
  return counts;
}

}  // namespace detail
}  // namespace vitrine
