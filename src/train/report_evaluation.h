#pragma once

#include <string>

#include "vitrine/train/report.h"

namespace vitrine::detail {

/// The confusion matrix as a picture where at most 50 classes occur, else a table of the classes
/// most often confused.
std::string confusion_html(const Evaluation& evaluation, const std::vector<std::string>& labels);

/// Precision, recall, F1 and number of images of every class that occurs, the lowest F1 first.
std::string classes_html(const Evaluation& evaluation, const std::vector<std::string>& labels);

/// The worst mistakes as pictures.
std::string mistakes_html(const Report& report);

}  // namespace vitrine::detail
