#include "run_model.h"

#include <filesystem>
#include <string>

#include "vitrine/data/random.h"
#include "vitrine/error.h"
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
  return find_model_card(options.weights(), file);
}

namespace detail {

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
  return card;
}

std::shared_ptr<Classifier> make_model(const TrainOptions& options, const ModelCard& card) {
  RandomScope random(torch::kCPU);
  random.seed(mix_seed(options.seed(), /*a=*/0, /*b=*/2));
  auto model = create_model(card.architecture, card.options);
  if (!options.weights().empty()) {
    load_weights(
        *model,
        options.weights(),
        LoadOptions().reset_head(options.reset_head()).origin(starting_card(options).options));
  }
  freeze(*model, options.freeze());
  return model;
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
