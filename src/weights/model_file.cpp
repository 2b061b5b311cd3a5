#include "vitrine/weights/model_file.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/models/swin.h"
#include "vitrine/text.h"
#include "vitrine/weights/safetensors.h"

#include "card_check.h"
#include "card_json.h"
#include "export_sizes.h"
#include "layers/skip_init.h"
#include "load_source.h"
#include "recognise.h"
#include "weights_file.h"

namespace vitrine {
namespace {

using detail::WeightsFile;

constexpr const char* kCardKey = "vitrine";

std::optional<ModelCard> parse_card_of(const Metadata& metadata, const std::string& subject) {
  const auto found = metadata.find(kCardKey);
  if (found == metadata.end()) {
    return std::nullopt;
  }
  return detail::parse_card(found->second, subject + ": the card");
}

/// Value of an option, or nothing.
template <typename Value>
std::optional<Value> option(const ModelOptions& options, const std::string& name) {
  const auto found = options.values().find(name);
  const auto* value =
      found == options.values().end() ? nullptr : std::get_if<Value>(&found->second);
  return value == nullptr ? std::nullopt : std::make_optional(*value);
}

/// Sets `options` to what `over` says, wherever it says something.
void override_by(ModelOptions& options, const ModelOptions& over) {
  for (const auto& [name, value] : over.values()) {
    options.set(name, value);
  }
}

/// Rethrows the error that is being handled when the caller's own names or values may be its cause.
void rethrow_if_callers(const ModelFileOptions& options) {
  if (options.architecture || !options.options.values().empty()) {
    throw;
  }
}

/// The card that the file holds, unless it is of another architecture than the one asked for.
std::optional<ModelCard> own_card(const WeightsFile& file, const std::optional<std::string>& name) {
  const auto asked = name ? find_card(*name).architecture : "";
  auto card = file.header() == nullptr ? std::nullopt
                                       : parse_card_of(file.header()->metadata, file.subject());
  if (!card || card->architecture.empty() || (name && card->architecture != asked)) {
    return std::nullopt;
  }
  // What the zoo knows of the architecture does not depend on the file.
  try {
    const auto zoo = find_card(card->architecture);
    card->family = zoo.family;
    card->paper = zoo.paper;
    card->parameters = zoo.parameters;
    card->gmacs = zoo.gmacs;
  } catch (const UnknownNameError& error) {
    throw CheckpointError(file.subject() + ": the card: " + error.what());
  }
  return card;
}

/// Classes of the head in the file, where its shape is one that `model` could have.
std::optional<int64_t> classes_in_file(const WeightsFile& file, const Classifier& model) {
  const auto key = model.classifier_names().front() + ".weight";
  const auto& tensors = file.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto shape = tensors.shape(i);
    if (tensors.name(i) == key && shape.size() >= 2 && shape[0] > 0 &&
        shape[1] == model.num_features()) {
      return shape[0];
    }
  }
  return std::nullopt;
}

/// The model of `card`, without the file's weights.
std::shared_ptr<Classifier> build(const WeightsFile& file, const ModelCard& card, bool reset_head) {
  auto model = [&] {
    const detail::SkipInit every_value_comes_from_the_file;
    return create_model(card.architecture, card.options);
  }();
  if (reset_head) {
    model->reset_classifier(model->num_classes());  // but the head's
  }
  const auto& set = card.options.values();
  if (!reset_head && set.find("num_classes") == set.end()) {
    const auto classes = classes_in_file(file, *model);
    if (classes && *classes != model->num_classes()) {
      model->reset_classifier(*classes);
    }
  }
  return model;
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const auto& parameter : module.parameters()) {
    count += parameter.numel();
  }
  return count;
}

/// The model that a file is to be loaded into.
struct BuiltModel {
  std::shared_ptr<Classifier> model;
  ModelCard card;
  ModelOptions origin;  // of the file's own model
  std::string assumed;  // of `LoadedModel`
  bool has_card = false;
};

/// Refuses a Swin of another library at an image size at which that would answer otherwise. A size
/// that the caller asks for is taken as timm takes it.
void check_windows(const WeightsFile& file, const Classifier& model) {
  const auto* swin = dynamic_cast<const SwinTransformerImpl*>(&model);
  if (swin == nullptr || swin->options.window_size().size() != 1) {
    return;
  }
  const auto& layout = file.tensors().layout();
  const auto misfit = detail::size_misfit(swin->options, layout);
  if (!misfit.empty()) {
    throw CheckpointError(
        file.subject() + ": is of " + layout + ": " + misfit +
        "; --image-size takes any, as timm would");
  }
}

BuiltModel build_model(const WeightsFile& file, const ModelFileOptions& options) {
  const auto& subject = file.subject();
  BuiltModel built;
  auto& card = built.card;
  const auto is_given = [&](const char* name) { return options.options.values().count(name) > 0; };
  auto own = own_card(file, options.architecture);
  built.has_card = own.has_value();
  if (own) {
    card = std::move(*own);
  } else {
    auto found = detail::recognise(file, options.architecture);
    card = std::move(found.card);
    built.assumed = is_given("num_heads") ? "" : std::move(found.assumed);
  }
  built.origin = card.options;
  const auto describer = subject + (built.has_card ? ": the card" : ": config.json beside it");
  try {
    if (built.has_card) {
      detail::check_plausible(card, card.parameters, file.source(), describer);
    }
    override_by(card.options, options.options);
    built.model = build(file, card, options.reset_head);
  } catch (const UnknownNameError& error) {
    rethrow_if_callers(options);
    throw CheckpointError(describer + ": " + error.what());
  } catch (const c10::ValueError& error) {
    rethrow_if_callers(options);
    throw CheckpointError(describer + ": " + error.what_without_backtrace());
  }
  if (!is_given("img_size")) {
    check_windows(file, *built.model);
  }
  return built;
}

/// What compares the file with the model in full, as the end of a message.
std::string comparison(
    const WeightsFile& file, const ModelCard& card, const ModelFileOptions& options) {
  return "'vitrine inspect " + file.subject() + " --model " + card.architecture +
         (options.checkpoint_key.empty()
              ? ""
              : " --checkpoint-key " + printable(options.checkpoint_key)) +
         (options.options.values().empty() ? "'" : "' with the same options for the model") +
         " compares them all";
}

/// Labels for exactly the classes that the model has.
void check_labels(ModelCard& card, const std::string& subject, int64_t classes, bool of_file) {
  if (card.labels.empty() || card.labels.size() == static_cast<std::size_t>(classes)) {
    return;
  }
  if (of_file) {
    throw CheckpointError(
        subject + ": the card has " + std::to_string(card.labels.size()) + " labels for " +
        std::to_string(classes) + " classes");
  }
  card.labels.clear();
}

}  // namespace

void save_model(const std::string& path, const Classifier& model, const ModelCard& card) {
  TORCH_CHECK_VALUE(!card.architecture.empty(), "the card names no architecture");
  TORCH_CHECK_VALUE(
      card.labels.empty() || card.labels.size() == static_cast<std::size_t>(model.num_classes()),
      "the card has ",
      card.labels.size(),
      " labels, but the model ",
      model.num_classes(),
      " classes");
  auto complete = card;
  override_by(complete.options, model.model_options());
  const auto parameters = count_parameters(model);
  if (parameters != complete.parameters) {
    complete.parameters = parameters;
    complete.gmacs = 0;  // those of the named model are not this one's
  }
  // "pt" is what the format's Python library asks for.
  write_safetensors(
      path, state_dict(model), {{"format", "pt"}, {kCardKey, card_to_json(complete)}});
}

ModelCard find_model_card(const std::string& path, const ModelFileOptions& options) {
  const WeightsFile file(path, options.checkpoint_key);
  const auto own = own_card(file, options.architecture);
  return own ? *own : detail::recognise(file, options.architecture).card;
}

LoadedModel load_model(const std::string& path, const ModelFileOptions& options) {
  const WeightsFile file(path, options.checkpoint_key);
  auto built = build_model(file, options);
  auto& card = built.card;
  LoadedModel loaded;
  loaded.report = detail::load_source(
      *built.model,
      file.tensors(),
      // A model that cannot be filled is thrown away here.
      LoadOptions().reset_head(options.reset_head).origin(built.origin).all_or_nothing(false),
      comparison(file, card, options));
  loaded.model = std::move(built.model);
  loaded.assumed = std::move(built.assumed);
  check_labels(
      card, file.subject(), loaded.model->num_classes(), built.has_card && !options.reset_head);
  override_by(card.options, loaded.model->model_options());
  const auto sides = option<std::vector<int64_t>>(options.options, "img_size");
  if (sides && sides->size() == 2) {
    card.preprocess.height((*sides)[0]).width((*sides)[1]);
  }
  loaded.card = std::move(card);
  loaded.model->eval();
  return loaded;
}

FitReport compare_model(const std::string& path, const ModelFileOptions& options) {
  const WeightsFile file(path, options.checkpoint_key);
  const auto built = build_model(file, options);
  return detail::compare_source(
      *built.model,
      file.tensors(),
      LoadOptions().reset_head(options.reset_head).origin(built.origin));
}

std::optional<ModelCard> read_card(const std::string& path) {
  const auto file = detail::checkpoint_path(path);
  return detail::weights_kind(file) != detail::WeightsKind::Safetensors
             ? std::nullopt
             : parse_card_of(read_safetensors_metadata(file), printable(file));
}

}  // namespace vitrine
