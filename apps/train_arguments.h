#pragma once

#include <vector>

#include "vitrine/train/train_options.h"

#include "arguments.h"

namespace vitrine {

/// What `train` takes beside its operand.
std::vector<OptionGroup> train_groups();

/// The options of the run that the command line asks for, the device apart: those of --resume or
/// --config, else the defaults, with what else is given. Throws UsageError where the data or the
/// model is missing.
TrainOptions read_train_options(const Arguments& arguments);

/// Whether --deterministic is given, or was to the run that goes on by --resume or --config.
bool wants_determinism(const Arguments& arguments);

}  // namespace vitrine
