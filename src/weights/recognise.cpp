#include "recognise.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/text.h"

#include "card_check.h"
#include "inferred_options.h"
#include "layers/skip_init.h"
#include "source_config.h"
#include "source_defaults.h"
#include "swin_windows.h"
#include "zoo_fit.h"

namespace vitrine::detail {
namespace {

/// Names that a message lists.
constexpr std::size_t kListedModels = 6;

TensorShapes shapes_of(const MappedSource& tensors) {
  TensorShapes shapes;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    shapes.emplace(tensors.name(i), tensors.shape(i).vec());
  }
  return shapes;
}

/// What a file without a card, and what stands beside it, tell of its model.
struct Clues {
  explicit Clues(const WeightsFile& of)
      : file(of),
        config(read_source_config(of.path())),
        shapes(shapes_of(of.tensors())),
        told(told_options(layout(), shapes)) {}

  const std::string& layout() const { return file.tensors().layout(); }
  /// The library that the file comes from, where it holds the zoo's model `architecture`.
  std::string library(const std::string& architecture) const {
    return source_of(layout(), architecture, !config && file.pth() != nullptr);
  }

  const WeightsFile& file;
  std::optional<SourceConfig> config;
  TensorShapes shapes;
  ModelOptions told;  // by tensors, which are there or not
};

/// Whether a candidate can be what Hugging Face calls `model_type`: ViT and DeiT share tensors.
bool is_of_type(const Candidate& candidate, const std::string& model_type) {
  const bool deit = std::string(candidate.entry->name).compare(0, 4, "deit") == 0;
  return (model_type != "vit" || !deit) && (model_type != "deit" || deit);
}

template <typename Keep>
void keep_if(std::vector<Candidate>& candidates, const Keep& keep) {
  candidates.erase(
      std::remove_if(
          candidates.begin(), candidates.end(), [&](const auto& one) { return !keep(one); }),
      candidates.end());
}

bool same_preprocess(const PreprocessOptions& a, const PreprocessOptions& b) {
  return a.height() == b.height() && a.width() == b.width() && a.crop_pct() == b.crop_pct() &&
         a.crop_mode() == b.crop_mode() && a.interpolation() == b.interpolation() &&
         a.mean() == b.mean() && a.std() == b.std();
}

/// Rows and columns that the options name, or null.
const std::vector<std::int64_t>* image_size(const ModelOptions& options) {
  const auto found = options.values().find("img_size");
  return found == options.values().end() ? nullptr
                                         : std::get_if<std::vector<std::int64_t>>(&found->second);
}

void put(ModelOptions& options, const ModelOptions& over) {
  for (const auto& [name, value] : over.values()) {
    options.set(name, value);
  }
}

/// Counts of what stands against a model of the zoo, as the end of a sentence.
std::string misfit_counts(const WeightsFile& file, const Entry& entry) {
  constexpr double kSlack = 5e7;  // values: 200 MB
  double values = kSlack;
  for (std::size_t i = 0; i < file.source().size(); ++i) {
    values += static_cast<double>(file.source().bytes(i)) / 4;
  }
  if (static_cast<double>(entry.parameters) > 4 * values) {
    return "";  // would cost more than the file
  }
  const SkipInit no_values_are_needed;
  const auto report =
      compare_source(*create_model(entry.name), file.tensors(), LoadOptions().reset_head(true));
  std::vector<std::string> counts;
  for (const auto& [names, what] :
       {std::pair{&report.missing, " of its tensors missing"},
        std::pair{&report.misshapen, " misshapen"},
        std::pair{&report.unknown, " that it does not have"}}) {
    if (!names->empty()) {
      counts.push_back(std::to_string(names->size()) + what);
    }
  }
  return counts.empty() ? "" : " (but for the head, " + join(counts, ", ") + ")";
}

/// What comes nearest to tensors that are no model's, as the end of a sentence.
std::string nearest_text(const WeightsFile& file, const TensorShapes& shapes) {
  const auto* nearest = find_nearest(shapes);
  if (nearest == nullptr) {
    return "; none of its tensors has a name that tells a model of vitrine";
  }
  const auto misfit = find_misfit(nearest->options, shapes);
  return std::string("; the nearest is ") + nearest->name + misfit_counts(file, *nearest) +
         (misfit ? ", of which " + misfit_text(*misfit, shapes) : "") + "; 'vitrine inspect " +
         file.subject() + " --model " + nearest->name +
         "' compares them all, and --model with --model-kwargs may describe it";
}

/// The model of a size that the zoo does not have, as the nearest of the zoo with other options.
Recognised infer(const Clues& clues) {
  const auto& file = clues.file;
  const auto& shapes = clues.shapes;
  const auto& config = clues.config;
  const auto start = file.subject() + ": has no card, and its tensors fit no model of the zoo";
  auto known = clues.told;
  if (config) {
    put(known, config->options);
  }
  const auto accepts = [&](const Entry& entry) {
    return source_has(clues.layout(), entry.name) &&
           (!config || config->model_type.empty() ||
            is_of_type({&entry, {}, 0}, config->model_type));
  };
  const auto inferred = infer_model(shapes, known, accepts);
  if (inferred.base == nullptr) {
    throw CheckpointError(start + nearest_text(file, shapes));
  }
  const std::string name = inferred.base->name;
  Recognised result{find_card(name), inferred.differences, "its tensors", ""};
  if (config && !config->family.empty() && config->family != result.card.family) {
    throw CheckpointError(
        start + " and are of another kind than config.json beside it says, " +
        printable(config->model_type));
  }
  if (!inferred.untold.empty()) {
    throw CheckpointError(
        start + " and do not tell " + join(inferred.untold, " and ") + "; --model " + name +
        " --model-kwargs " + inferred.differences +
        " with the right value for each ? may describe it");
  }
  result.card.options = inferred.options;
  const auto options = std::visit(
      [&](const auto& base) { return FamilyOptions(apply(base, inferred.options)); },
      inferred.base->options);
  if (const auto misfit = find_misfit(options, shapes)) {
    throw CheckpointError(
        start + "; the nearest is " + name + " with " + inferred.differences + ", of which " +
        misfit_text(*misfit, shapes));
  }
  check_plausible(result.card, 0, file.source(), file.subject() + ": what its tensors tell");
  if (config) {
    result.told_by += " and config.json beside it";
  }
  if (inferred.heads_assumed && result.card.family == "vit") {
    result.assumed = "heads taken to be 64 wide";
    result.told_by += ", with " + result.assumed;
  }
  return result;
}

/// The models of the zoo that the tensors fit and that nothing else speaks against.
std::vector<Candidate> fitting_candidates(const Clues& clues) {
  const auto& config = clues.config;
  auto hint = clues.told;
  const auto* sides = config ? image_size(config->options) : nullptr;
  if (sides != nullptr && sides->size() == 2 && sides->front() != sides->back()) {
    hint.set("img_size", *sides);  // positions alone tell square images only
  }
  auto candidates = find_candidates(clues.shapes, hint);
  keep_if(candidates, [&](const auto& one) { return source_has(clues.layout(), one.entry->name); });
  if (config && !config->model_type.empty()) {
    keep_if(candidates, [&](const auto& one) {
      return find_card(one.entry->name).family == config->family &&
             is_of_type(one, config->model_type);
    });
  }
  if (config) {
    keep_if(candidates, [&](const auto& one) { return fits_windows(one, config->options); });
  }
  if (const auto table = coordinate_table(clues.file.source())) {
    keep_if(candidates, [&](const auto& one) { return fits_table(one, *table); });
  }
  return candidates;
}

/// Throws CheckpointError where the candidates differ in more than their name.
void check_alike(const std::vector<Candidate>& candidates, const Clues& clues) {
  const auto preprocess = [&](const Entry& of) {
    return source_defaults(clues.library(of.name), of.name, of.preprocess)
        .preprocess.value_or(of.preprocess);
  };
  const auto& first = candidates.front();
  const bool tells_preprocess = clues.config && clues.config->preprocess;
  std::vector<std::string> names = {first.entry->name};
  for (const auto& one : candidates) {
    if (!same_windows(first, one) ||
        (!tells_preprocess && !same_preprocess(preprocess(*first.entry), preprocess(*one.entry)))) {
      names.emplace_back(one.entry->name);
    }
  }
  if (names.size() > 1) {
    names.resize(std::min(names.size(), kListedModels));
    throw CheckpointError(
        clues.file.subject() +
        ": has no card, and its tensors fit several models; --model says which: " +
        join(names, ", "));
  }
}

/// The model that the tensors tell, of the zoo or not.
Recognised choose(const Clues& clues) {
  if (!tells_model(clues.layout())) {
    throw CheckpointError(
        clues.file.subject() + ": has no card, and a checkpoint of " + clues.layout() +
        " does not tell its heads and pooling; --model and --model-kwargs describe it");
  }
  auto candidates = fitting_candidates(clues);
  if (candidates.empty()) {
    return infer(clues);
  }
  const auto nearer = [](const auto& a, const auto& b) { return a.distance < b.distance; };
  const auto least = std::min_element(candidates.begin(), candidates.end(), nearer)->distance;
  keep_if(candidates, [&](const auto& one) { return one.distance == least; });
  check_alike(candidates, clues);
  const auto& first = candidates.front();
  Recognised result{find_card(first.entry->name), "", "its tensors", ""};
  result.card.options = first.options;
  return result;
}

/// The model that `name` says, else config.json, else the tensors.
Recognised find_model(const Clues& clues, const std::optional<std::string>& name) {
  if (name) {
    return {find_card(*name), "", "", ""};
  }
  const auto& config = clues.config;
  if (!config || config->architecture.empty()) {
    return choose(clues);
  }
  try {
    return {find_card(config->architecture), "", "config.json beside it", ""};
  } catch (const UnknownNameError& error) {
    throw CheckpointError(clues.file.subject() + ": config.json beside it: " + error.what());
  }
}

bool is_of_another_model(const SourceConfig& config, const ModelCard& card) {
  return (!config.architecture.empty() && config.architecture != card.architecture) ||
         (!config.family.empty() && config.family != card.family);
}

/// Puts what is known of the file's model over what the zoo's card says: what its library is used
/// to, what the tensors tell, what config.json says, and last what was found while recognising it.
void fill_card(ModelCard& card, const Clues& clues) {
  const auto& config = clues.config;
  const auto found = std::exchange(card.options, {});
  const auto own = find_card(card.architecture).preprocess;
  const auto defaults = source_defaults(clues.library(card.architecture), card.architecture, own);
  put(card.options, defaults.options);
  if (card.family == "vit") {
    put(card.options, clues.told);
  }
  if (defaults.preprocess && same_preprocess(card.preprocess, own)) {
    card.preprocess = *defaults.preprocess;  // no name of other weights was given
  }
  if (config) {
    put(card.options, config->options);
    card.labels = config->labels;
  }
  put(card.options, found);
  if (const auto* sides = image_size(card.options)) {
    card.preprocess.height(sides->front()).width(sides->back());
  }
  if (config && config->preprocess) {
    card.preprocess = config->preprocess(card.preprocess);
    if (config->names_size && card.family != "mobilevit") {
      card.options.img_size(card.preprocess.height(), card.preprocess.width());
    }
  }
}

}  // namespace

Recognised recognise(const WeightsFile& file, const std::optional<std::string>& name) {
  Clues clues(file);
  auto result = find_model(clues, name);
  auto& config = clues.config;
  if (name && config && is_of_another_model(*config, result.card)) {
    config.reset();
  }
  fill_card(result.card, clues);
  if (clues.layout() == "Hugging Face MobileViT" && config && config->flips_channels == false) {
    throw CheckpointError(
        file.subject() +
        ": preprocessor_config.json beside it: do_flip_channel_order is false, expected true: a "
        "MobileViT of transformers is for images in BGR");
  }
  return result;
}

}  // namespace vitrine::detail
