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

/// The report of a run whose best model, of `best_epoch`, has `card`: the epochs of its `metrics`,
/// how the best model does, if that is known, and some of the images of `data` as training sees
/// them.
Report run_page(
    const TrainOptions& options,
    const ImageSplits& splits,
    const ModelCard& card,
    const std::vector<std::string>& metrics,
    int64_t best_epoch,
    const std::optional<Evaluation>& evaluation,
    const ImageDataset& data);

}  // namespace vitrine::detail
