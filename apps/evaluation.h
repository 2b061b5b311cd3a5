#pragma once

#include <c10/core/Device.h>

#include <optional>
#include <string>
#include <vector>

#include "vitrine/data/image_set.h"
#include "vitrine/train/evaluator.h"
#include "vitrine/weights/model_file.h"

#include "arguments.h"
#include "bad_images.h"

namespace vitrine {

/// The images that models are judged on.
struct Judgement {
  std::string data;  // what messages call them
  ImageSet images;
  c10::Device device;
  BadImageLines bad_images{};
};

/// How well a model does.
struct EvaluatedModel {
  std::string name;  // such as the path of its weights
  ModelCard card;
  std::vector<ImageSample> samples;  // with the model's own numbers of the classes
  Evaluation evaluation;
};

/// Judges `loaded` as the options say, with a bar on standard error; images that cannot be read are
/// told there, once for all models. Nothing when a signal stopped it. Throws Error when no image
/// can be read.
std::optional<EvaluatedModel> evaluate_model(
    const Arguments& arguments,
    const LoadedModel& loaded,
    const std::string& name,
    Judgement& judgement);

/// The model whose weights are the mean of those at `paths`; its card is that of the first, with
/// what all provenances share. Throws Error when the models differ in architecture or classes.
LoadedModel average_models(const Arguments& arguments, const std::vector<std::string>& paths);

}  // namespace vitrine
