#pragma once

#include "vitrine/train/train_options.h"

#include "arguments.h"

namespace vitrine {

/// Throws UsageError where the command line gives an option of `train` that has no effect beside
/// the others of the run, `options`. What a config.json says besides is no mistake.
void check_effects(const Arguments& arguments, const TrainOptions& options);

}  // namespace vitrine
