#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vitrine/data/image_set.h"
#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"
#include "vitrine/train/distillation.h"
#include "vitrine/train/train_options.h"

namespace vitrine::detail {

/// The card that the trained model will carry.
ModelCard make_card(const TrainOptions& options, const std::vector<std::string>& classes);

/// The model of `card` that training starts from: random by the seed, or with the weights of the
/// options, which are not read where it is `restored` from a checkpoint anyway. Throws
/// c10::ValueError where it does not take images of every side of `multi_scale`, and Error where
/// the head of the weights is for other classes.
std::shared_ptr<Classifier> make_model(
    const TrainOptions& options, const ModelCard& card, bool restored);

/// The teacher of the model of `card`; none where the options name none. Throws Error where it does
/// not know the same classes.
Teacher open_teacher(const TrainOptions& options, const ModelCard& card);

/// How many images each class has.
std::vector<int64_t> images_by_class(const ImageSet& set);

}  // namespace vitrine::detail
