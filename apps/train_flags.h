#pragma once

#include <vector>

#include "vitrine/train/train_options.h"

#include "arguments.h"

namespace vitrine {

/// The options of `train` that decide a run, by timm's names, with the library's own defaults.
std::vector<OptionGroup> training_groups();

/// `options` with what the command line says of the options of `training_groups`.
void apply_training_arguments(const Arguments& arguments, TrainOptions& options);

}  // namespace vitrine
