#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vitrine/data/image_dataset.h"
#include "vitrine/image/preprocess.h"
#include "vitrine/train/report.h"
#include "vitrine/train/training_run.h"

namespace vitrine::detail {

/// The epochs that the lines of a metrics.jsonl tell; a number that is missing or null is NaN.
std::vector<EpochRecord> parse_epochs(const std::vector<std::string>& lines);

/// The options of a run, and what it runs on.
std::vector<ReportFacts> run_facts(const TrainOptions& options, const ImageSplits& splits);

/// `count` images of `data`, evenly over it, as its transform makes them in the first
/// epoch, with the normalisation of
/// `preprocess` undone; one that can no longer be read is left out.
std::vector<ReportPicture> sample_pictures(
    ImageDataset data,
    const PreprocessOptions& preprocess,
    const std::vector<std::string>& classes,
    int64_t count);

}  // namespace vitrine::detail
