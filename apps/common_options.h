#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "vitrine/data/image_data.h"
#include "vitrine/image/preprocess.h"
#include "vitrine/models/model_card.h"
#include "vitrine/models/model_options.h"
#include "vitrine/precision.h"

#include "arguments.h"

namespace vitrine {

/// Single options, for commands that do not take the whole group.
OptionSpec model_kwargs_option();
OptionSpec checkpoint_key_option();
OptionSpec num_classes_option();
OptionSpec image_size_option();
OptionSpec seed_option();
/// --val-fraction, and --seed where it serves that alone
OptionSpec val_fraction_option();
OptionSpec split_seed_option();
OptionSpec workers_option(int64_t least = 0);
OptionSpec quiet_option();

/// --checkpoint-key, --model, --model-kwargs, and of the head --num-classes, --labels
OptionGroup checkpoint_group();
/// The same and --weights; without those of the head where it plays no part.
OptionGroup model_group(bool head = true);
/// --image-size, --crop-pct, --crop-mode, --interpolation, --mean, --std
OptionGroup preprocessing_group();
/// --device, --precision, --threads, --batch-size (`batch_size` when not given), --workers, --quiet
OptionGroup running_group(const std::string& batch_size);

/// A line on standard error, unless --quiet.
void note(const Arguments& arguments, const std::string& text);

/// The device of --device. Opens CUDA where it is asked for or found; hence to be called before
/// anything else of LibTorch. Then sets --threads.
c10::Device open_device(const Arguments& arguments);

/// The precision of --precision.
Precision read_precision(const Arguments& arguments);

/// The images at `path` to train on and to judge by, as --val-fraction and --seed say. Where --seed
/// is not given, the seed is that of the run that made --weights, which thus is not judged by what
/// it was trained on.
ImageSplits find_splits(const Arguments& arguments, const std::string& path);

/// The options of a model of `family` that --model-kwargs, --num-classes and --image-size give.
ModelOptions model_options(const Arguments& arguments, const std::string& family);

/// Throws c10::ValueError where the model of `card` cannot take images of the size that `given`
/// asks for; Error where that model is the one of the file at `path`, unless that is empty.
void check_image_size(const ModelCard& card, const ModelOptions& given, const std::string& path);

/// `preprocess` with what the options of `preprocessing_group` say instead.
PreprocessOptions preprocess_options(const Arguments& arguments, PreprocessOptions preprocess);

}  // namespace vitrine
