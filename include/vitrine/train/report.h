#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/data/image_set.h"
#include "vitrine/export.h"
#include "vitrine/models/model_card.h"
#include "vitrine/train/evaluator.h"
#include "vitrine/train/training_run.h"

namespace vitrine {

/// A picture with what stands below it.
struct ReportPicture {
  torch::Tensor image;  // uint8 [H, W, 3] RGB
  std::string caption;
};

/// Names with their values, such as the options of a run.
struct ReportFacts {
  std::string title;
  std::vector<std::pair<std::string, std::string>> rows;
};

/// What `report_html` shows; what is empty is left out. Texts may hold anything.
struct Report {
  std::string title;                             // such as the name of the model
  std::string subtitle;                          // such as the folder of the data
  std::vector<EpochRecord> epochs;               // drawn as curves
  int64_t best_epoch = 0;                        // whose model is kept; 0: of the highest accuracy
  std::vector<std::string> labels;               // names of the classes
  std::optional<Evaluation> evaluation;          // of the model that the report is about
  std::vector<ImageSample> samples;              // that were judged; mistakes are read from there
  std::vector<ReportPicture> training_pictures;  // as the model sees them
  std::vector<ReportFacts> facts;
};

/// The values in the text of a JSON object, those in objects below it named "outer.inner"; nothing
/// for other text.
VITRINE_API std::vector<std::pair<std::string, std::string>> facts_from_json(
    const std::string& json);

/// What a card says of its model, apart from the names of the classes.
VITRINE_API ReportFacts model_facts(const ModelCard& card);

/// `report` as one page of HTML, which needs nothing else: no file, no network, no script. It has
/// the summary; curves of loss, accuracy, learning rate and speed; the confusion matrix, or the
/// classes most often confused where there are more than 50; scores by class; the worst mistakes
/// and training images as pictures; and the facts. A picture that can no longer be read is left
/// blank.
VITRINE_API std::string report_html(const Report& report);

/// Writes the page, atomically and durably. Throws FileError.
VITRINE_API void write_report(const std::string& path, const Report& report);

}  // namespace vitrine
