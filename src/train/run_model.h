#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vitrine/data/image_set.h"
#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"
#include "vitrine/train/train_options.h"

namespace vitrine::detail {

/// The card that the trained model will carry.
ModelCard make_card(const TrainOptions& options, const std::vector<std::string>& classes);

/// The model of `card` that training starts from: random by the seed, or with the weights of the
/// options.
std::shared_ptr<Classifier> make_model(const TrainOptions& options, const ModelCard& card);

/// How many images each class has.
std::vector<int64_t> images_by_class(const ImageSet& set);

}  // namespace vitrine::detail
