#pragma once

#include "vitrine/infer/predictor.h"

#include "arguments.h"

namespace vitrine {

/// Classifies the images in val/ of the folder --knn by their nearest neighbours in train/, prints
/// how often that is right, and gives the exit status.
int evaluate_neighbours(const Arguments& arguments, const Predictor& predictor);

}  // namespace vitrine
