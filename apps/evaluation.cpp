#include "evaluation.h"

#include <iostream>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/weights/average.h"

#include "common_options.h"
#include "open_model.h"
#include "progress.h"
#include "stop_signals.h"

namespace vitrine {
namespace {

/// Throws Error unless `card`, of the model at `path`, is that of a model like the first one.
void check_alike(const ModelCard& card, const std::string& path, const ModelCard& first) {
  if (card.architecture != first.architecture) {
    throw Error(
        printable(path) + ": is a " + card.architecture + ", which cannot be averaged with a " +
        first.architecture);
  }
  if (card.labels != first.labels) {
    throw Error(
        printable(path) + ": has other classes than the first model; they mean nothing together");
  }
}

void keep_shared(
    std::map<std::string, std::string>& provenance,
    const std::map<std::string, std::string>& other) {
  for (auto it = provenance.begin(); it != provenance.end();) {
    const auto found = other.find(it->first);
    it = found != other.end() && found->second == it->second ? std::next(it) : provenance.erase(it);
  }
}

}  // namespace

std::optional<EvaluatedModel> evaluate_model(
    const Arguments& arguments,
    const LoadedModel& loaded,
    const std::string& name,
    Judgement& judgement) {
  const auto images = match_classes(
      judgement.images, loaded.card.labels, loaded.model->num_classes(), judgement.data);
  loaded.model->to(judgement.device);
  ImageDataset data(
      images.samples, [p = loaded.card.preprocess](const torch::Tensor& image, at::Generator&) {
        return preprocess(image, p);
      });
  const auto options = EvaluateOptions()
                           .loader(LoaderOptions()
                                       .batch_size(arguments.whole("batch-size"))
                                       .workers(arguments.whole("workers"))
                                       .pin_memory(judgement.device.is_cuda()))
                           .device(judgement.device)
                           .precision(read_precision(arguments))
                           .hflip(arguments.flag("tta"))
                           .mistakes(arguments.whole("mistakes"));
  judgement.bad_images.watch(data);
  Progress progress(
      std::cerr,
      standard_error_progress(arguments.flag("quiet")),
      "evaluate",
      static_cast<int64_t>(images.samples.size()),
      "images");
  auto result = evaluate(*loaded.model, data, options, [&](int64_t done, int64_t) {
    judgement.bad_images.write(progress);
    progress.update(done);
    return stop_signal() == 0;
  });
  progress.hide();
  if (!result) {
    return std::nullopt;
  }
  if (result->images == 0) {
    throw Error(printable(judgement.data) + ": none of the images can be read");
  }
  return EvaluatedModel{name, loaded.card, images.samples, std::move(*result)};
}

LoadedModel average_models(const Arguments& arguments, const std::vector<std::string>& paths) {
  auto result = open_classifier(arguments, paths.at(0));
  WeightAverage average;
  average.add(state_dict(*result.model), paths[0]);
  for (std::size_t i = 1; i < paths.size(); ++i) {
    const auto loaded = open_classifier(arguments, paths[i]);
    check_alike(loaded.card, paths[i], result.card);
    average.add(state_dict(*loaded.model), paths[i]);
    keep_shared(result.card.provenance, loaded.card.provenance);
  }
  average.copy_to(*result.model);
  result.card.provenance["average_of"] = printable(join(paths, ", "), 4096);
  return result;
}

}  // namespace vitrine
