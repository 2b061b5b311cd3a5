#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "vitrine/data/image_set.h"
#include "vitrine/train/evaluator.h"

#include "evaluation.h"

namespace vitrine {

/// Prints a result as one JSON object. `labels` names the classes, and may be empty; `samples` are
/// the images that were judged.
void print_evaluation_json(
    std::ostream& stream,
    const Evaluation& result,
    const std::vector<std::string>& labels,
    const std::vector<ImageSample>& samples);

/// Prints a result for people: summary, scores by class, confusion matrix of a few classes,
/// mistakes.
void print_evaluation(
    std::ostream& stream,
    const Evaluation& result,
    const std::vector<std::string>& labels,
    const std::vector<ImageSample>& samples);

/// Prints the results of several models as JSON objects, one a line, each with its "weights".
void print_json_lines(std::ostream& stream, const std::vector<EvaluatedModel>& models);

/// Prints a line for each model, in their order.
void print_comparison(std::ostream& stream, const std::vector<EvaluatedModel>& models);

}  // namespace vitrine
