#pragma once

#include "vitrine/infer/predictor.h"

#include "arguments.h"

namespace vitrine {

/// Classifies the images of --knn to judge by, by their nearest neighbours among those to train on,
/// prints how often that is right, and gives the exit status.
int evaluate_neighbours(const Arguments& arguments, const Predictor& predictor);

}  // namespace vitrine
