#include "open_model.h"

#include <cstdint>

#include "vitrine/error.h"
#include "vitrine/infer/labels.h"
#include "vitrine/models/registry.h"
#include "vitrine/text.h"
#include "vitrine/train/run_checkpoints.h"

#include "common_options.h"

namespace vitrine {

void check_model_options(const Arguments& arguments) {
  if (!arguments.given("weights")) {
    throw UsageError(
        arguments.spec().name +
        ": --weights FILE is missing; a model without trained weights answers at random");
  }
  if (arguments.given("model")) {
    find_card(arguments.text("model"));
  }
}

LoadedModel open_model(const Arguments& arguments) {
  check_model_options(arguments);
  return open_model(arguments, arguments.text("weights"));
}

LoadedModel open_model(const Arguments& arguments, const std::string& path, bool any_head) {
  ModelFileOptions options;
  if (arguments.given("model")) {
    options.architecture = arguments.text("model");
  }
  options.checkpoint_key = arguments.text("checkpoint-key");
  options.reset_head = any_head;
  // What a run's checkpoint has no card for stands in the run's best model.
  const auto run = run_of_checkpoint(path);
  const auto described = run ? *run + "/best.safetensors" : path;
  const auto card = find_model_card(described, options);
  options.options = model_options(arguments, card.family);
  check_image_size(card, options.options, path);
  auto loaded = load_model(described, options);
  if (!loaded.assumed.empty()) {
    note(
        arguments,
        printable(path) + ": " + loaded.assumed + "; --model-kwargs num_heads=N says otherwise");
  }
  if (run) {
    load_checkpoint_weights(loaded, path, LoadOptions().reset_head(any_head).origin(card.options));
  }
  const bool for_images = arguments.spec().find("weights") != nullptr;
  if (for_images && loaded.model->in_chans() != 3) {
    throw Error(
        printable(path) + ": takes images of in_chans " + std::to_string(loaded.model->in_chans()) +
        ", but those of files have 3 channels");
  }
  loaded.card.preprocess = preprocess_options(arguments, loaded.card.preprocess);
  if (arguments.given("labels")) {
    const auto file = arguments.text("labels");
    loaded.card.labels = read_labels(file);
    const auto found = static_cast<std::int64_t>(loaded.card.labels.size());
    if (found != loaded.model->num_classes()) {
      throw Error(
          printable(file) + ": has " + std::to_string(found) + " labels, expected " +
          std::to_string(loaded.model->num_classes()) + ", one for each class of the model");
    }
  }
  return loaded;
}

LoadedModel open_classifier(const Arguments& arguments) {
  check_model_options(arguments);
  return open_classifier(arguments, arguments.text("weights"));
}

LoadedModel open_classifier(const Arguments& arguments, const std::string& path) {
  auto loaded = open_model(arguments, path);
  if (loaded.model->num_classes() == 0) {
    throw Error(
        printable(path) +
        ": the model has no head, so it names no classes; 'vitrine features' gives its features");
  }
  return loaded;
}

}  // namespace vitrine
