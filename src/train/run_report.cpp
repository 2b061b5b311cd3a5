#include "run_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "vitrine/error.h"

#include "report_html.h"
#include "run_config.h"

namespace vitrine::detail {
namespace {

using OrderedJson = nlohmann::ordered_json;

torch::Tensor as_picture(const torch::Tensor& input, const PreprocessOptions& preprocess) {
  const auto triple = [](const auto& values) {
    return torch::tensor({values[0], values[1], values[2]}).view({3, 1, 1});
  };
  const auto image = input * triple(preprocess.std()) + triple(preprocess.mean());  // [3, H, W]
  return image.mul(255).round().clamp(0, 255).to(torch::kUInt8).permute({1, 2, 0}).contiguous();
}

/// The options of a run, and what it runs on.
std::vector<ReportFacts> run_facts(const TrainOptions& options, const ImageSplits& splits) {
  auto config = OrderedJson::parse(make_run_config(options, splits));
  config["data"]["classes"] = splits.train.classes.size();
  auto environment = config["data"];
  environment.erase("train_checksum");
  environment.erase("val_checksum");
  environment.update(config["environment"]);
  return {
      {"Options of the run", facts_from_json(config["options"].dump())},
      {"Data and environment", facts_from_json(environment.dump())}};
}

/// `count` images of `data`, evenly over it, as its transform makes them in the first epoch, with
/// the normalisation of `preprocess` undone; one that can no longer be read is left out.
std::vector<ReportPicture> sample_pictures(
    ImageDataset data,
    const PreprocessOptions& preprocess,
    const std::vector<std::string>& classes,
    int64_t count) {
  const auto size = static_cast<int64_t>(data.size().value());
  count = std::min(count, size);
  data.set_epoch(1);
  std::vector<ReportPicture> pictures;
  for (int64_t i = 0; i < count; ++i) {
    try {
      // The middle one of each part, so that classes alike in size are shown alike in number.
      const auto example = data.get(static_cast<std::size_t>((2 * i + 1) * size / (2 * count)));
      pictures.push_back(
          {as_picture(example.data, preprocess),
           label_of(classes, example.target.item<int64_t>())});
    } catch (const Error&) {
    }
  }
  return pictures;
}

}  // namespace

std::vector<EpochRecord> parse_epochs(const std::vector<std::string>& lines) {
  std::vector<EpochRecord> epochs;
  for (const auto& text : lines) {
    const auto line = OrderedJson::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto number = [&](const char* name) {
      const auto found = line.find(name);
      return found != line.end() && found->is_number() ? found->get<double>()
                                                       : std::numeric_limits<double>::quiet_NaN();
    };
    if (line.is_object() && line.contains("epoch") && line["epoch"].is_number_integer()) {
      epochs.push_back(
          {line["epoch"].get<int64_t>(),
           line.value("step", int64_t{0}),
           number("lr"),
           number("train_loss"),
           number("val_loss"),
           number("val_top1"),
           number("val_top5"),
           number("images_per_second"),
           number("data_wait"),
           number("seconds"),
           line.contains("raw_val_top1")
               ? std::optional(
                     Scores{number("raw_val_loss"), number("raw_val_top1"), number("raw_val_top5")})
               : std::nullopt,
           line.contains("skipped_updates")
               ? std::optional(line.value("skipped_updates", int64_t{0}))
               : std::nullopt});
    }
  }
  return epochs;
}

Report run_page(
    const TrainOptions& options,
    const ImageSplits& splits,
    const ModelCard& card,
    const std::vector<std::string>& metrics,
    int64_t best_epoch,
    const std::optional<Evaluation>& evaluation,
    const ImageDataset& data) {
  constexpr int64_t kTrainingPictures = 24;
  Report page;
  page.title = card.architecture;
  page.subtitle = "trained on " + options.data();
  page.epochs = parse_epochs(metrics);
  page.best_epoch = best_epoch;
  page.labels = card.labels;
  page.evaluation = evaluation;
  page.samples = splits.val.samples;
  page.training_pictures =
      sample_pictures(data, card.preprocess, splits.train.classes, kTrainingPictures);
  page.facts = run_facts(options, splits);
  page.facts.push_back(model_facts(card));
  return page;
}

}  // namespace vitrine::detail
