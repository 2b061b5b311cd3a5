#pragma once

#include <string>

#include "vitrine/data/image_set.h"
#include "vitrine/train/checkpoint.h"
#include "vitrine/train/train_options.h"

namespace vitrine::detail {

/// Text of a run's config.json: the options that decide it; its data as classes, numbers of images
/// and checksums of their names, sizes and classes; and what it runs on.
std::string make_run_config(const TrainOptions& options, const ImageSplits& splits);

/// `config`, the text of a run's config.json, with the running options of now.
std::string with_running_options(const std::string& config, const TrainOptions& options);

/// Compares the config.json that a run in `folder` was begun with to that of now. Throws Error,
/// naming the first option that differs with both values, or the part whose images do; another
/// environment is told to `warn`.
void compare_run_configs(
    const std::string& folder,
    const std::string& earlier,
    const std::string& now,
    const WarningHandler& warn);

}  // namespace vitrine::detail
