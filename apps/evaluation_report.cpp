#include "evaluation_report.h"

#include <algorithm>
#include <ostream>

#include "vitrine/text.h"

#include "json_text.h"
#include "percent.h"
#include "table.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

/// The name of a class, its index where there are no names.
std::string label_of(const std::vector<std::string>& labels, int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  return i < labels.size() ? labels[i] : std::to_string(index);
}

/// A row of numbers for each class, or, where these would be too many, the numbers above 0 as lists
/// of true class, answer and images.
void add_confusion(ordered_json& json, const torch::Tensor& counts) {
  constexpr int64_t kMostRows = 1000;
  const bool whole = counts.size(0) <= kMostRows;
  auto& rows = json[whole ? "confusion" : "confusion_counts"] = ordered_json::array();
  const auto numbers =
      whole ? counts.to_dense()
            : torch::cat({counts.indices(), counts.values().unsqueeze(0)}).t().contiguous();
  const auto number = numbers.accessor<int64_t, 2>();
  for (int64_t i = 0; i < number.size(0); ++i) {
    auto& row = rows.emplace_back(ordered_json::array());
    for (int64_t j = 0; j < number.size(1); ++j) {
      row.push_back(number[i][j]);
    }
  }
}

ordered_json to_json(
    const Evaluation& result,
    const std::vector<std::string>& labels,
    const std::vector<ImageSample>& samples) {
  ordered_json json = {
      {"top1", result.top1},
      {"top5", result.top5},
      {"loss", result.loss},
      {"images", result.images},
      {"classes", ordered_json::array()}};
  const auto scores = result.confusion.scores();
  const auto& counts = result.confusion.counts();
  for (int64_t i = 0; i < counts.size(0); ++i) {
    const auto& score = scores[static_cast<std::size_t>(i)];
    json["classes"].push_back(
        {{"label", label_of(labels, i)},
         {"precision", score.precision},
         {"recall", score.recall},
         {"f1", score.f1},
         {"images", score.images}});
  }
  add_confusion(json, counts);
  json["mistakes"] = ordered_json::array();
  for (const auto& mistake : result.mistakes) {
    json["mistakes"].push_back(
        {{"file", sample_name(samples[mistake.index])},
         {"label", label_of(labels, mistake.target)},
         {"predicted", label_of(labels, mistake.predicted)},
         {"probability", mistake.probability},
         {"loss", mistake.loss}});
  }
  return json;
}

/// `text` brought to `width` columns, at the right end of them.
std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

}  // namespace

void print_evaluation_json(
    std::ostream& stream,
    const Evaluation& result,
    const std::vector<std::string>& labels,
    const std::vector<ImageSample>& samples) {
  stream << to_line(to_json(result, labels, samples)) << '\n';
}

void print_evaluation(
    std::ostream& stream,
    const Evaluation& result,
    const std::vector<std::string>& labels,
    const std::vector<ImageSample>& samples) {
  stream << "top-1 " << percent(result.top1) << ", top-5 " << percent(result.top5) << ", loss "
         << fixed(result.loss, 4) << ", " << result.images << " images\n\n"
         << " precision    recall        F1  images  class\n";
  const auto scores = result.confusion.scores();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i].images > 0) {
      stream << right(percent(scores[i].precision), 10) << right(percent(scores[i].recall), 10)
             << right(percent(scores[i].f1), 10) << right(std::to_string(scores[i].images), 8)
             << "  " << printable(label_of(labels, static_cast<int64_t>(i))) << '\n';
    }
  }
  constexpr int64_t kMostColumns = 20;
  if (result.confusion.counts().size(0) <= kMostColumns) {
    const auto dense = result.confusion.counts().to_dense();
    const auto counts = dense.accessor<int64_t, 2>();
    stream << "\nconfusion (rows: true class, columns: answer)\n";
    for (int64_t i = 0; i < counts.size(0); ++i) {
      for (int64_t j = 0; j < counts.size(1); ++j) {
        stream << right(std::to_string(counts[i][j]), 6);
      }
      stream << "  " << printable(label_of(labels, i)) << '\n';
    }
  }
  if (!result.mistakes.empty()) {
    stream << "\nworst mistakes\n";
  }
  for (const auto& mistake : result.mistakes) {
    stream << "  " << printable(sample_name(samples[mistake.index]), 4096) << ": "
           << printable(label_of(labels, mistake.target)) << " taken for "
           << printable(label_of(labels, mistake.predicted)) << " (" << percent(mistake.probability)
           << ")\n";
  }
}

void print_json_lines(std::ostream& stream, const std::vector<EvaluatedModel>& models) {
  for (const auto& model : models) {
    ordered_json json = {{"weights", model.name}};
    json.update(to_json(model.evaluation, model.card.labels, model.samples));
    stream << to_line(json) << '\n';
  }
}

void print_comparison(std::ostream& stream, const std::vector<EvaluatedModel>& models) {
  std::vector<std::vector<std::string>> rows = {{"top-1", "top-5", "loss", "images", "weights"}};
  for (const auto& model : models) {
    const auto& e = model.evaluation;
    rows.push_back(
        {percent(e.top1),
         percent(e.top5),
         fixed(e.loss, 4),
         std::to_string(e.images),
         printable(model.name, 4096)});
  }
  print_columns(stream, rows, /*right=*/{0, 1, 2, 3});
}

}  // namespace vitrine
