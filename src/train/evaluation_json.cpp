#include "train/evaluation_json.h"

#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

#include "train/confusion_cells.h"

namespace vitrine::detail {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// Whether the mistakes can be of so many images and classes, and these of so many images.
bool is_possible(const Evaluation& evaluation, int64_t classes, std::size_t images) {
  for (const auto& mistake : evaluation.mistakes) {
    if (mistake.index >= images || mistake.target < 0 || mistake.target >= classes ||
        mistake.predicted < 0 || mistake.predicted >= classes) {
      return false;
    }
  }
  const auto counted = evaluation.confusion.counts().values().sum().item<int64_t>();
  return counted == evaluation.images && static_cast<std::size_t>(counted) <= images;
}

Evaluation read(const OrderedJson& json, int64_t classes, std::size_t images) {
  Evaluation result;
  result.images = json.at("images").get<int64_t>();
  result.loss = json.at("loss").get<double>();
  result.top1 = json.at("top1").get<double>();
  result.top5 = json.at("top5").get<double>();
  result.confusion = ConfusionMatrix(classes);
  std::vector<int64_t> targets;
  std::vector<int64_t> predicted;
  for (const auto& cell : json.at("confusion_counts")) {
    const auto count = cell.at(2).get<std::size_t>();
    if (count > images - targets.size()) {
      break;  // the sum, which then differs, tells
    }
    targets.insert(targets.end(), count, cell.at(0).get<int64_t>());
    predicted.insert(predicted.end(), count, cell.at(1).get<int64_t>());
  }
  result.confusion.add(
      torch::tensor(predicted, torch::kInt64), torch::tensor(targets, torch::kInt64));
  for (const auto& mistake : json.at("mistakes")) {
    result.mistakes.push_back(
        {mistake.at("index").get<std::size_t>(),
         mistake.at("target").get<int64_t>(),
         mistake.at("predicted").get<int64_t>(),
         mistake.at("probability").get<double>(),
         mistake.at("loss").get<double>()});
  }
  return result;
}

}  // namespace

std::string evaluation_to_json(const Evaluation& evaluation, int64_t epoch) {
  OrderedJson counts = OrderedJson::array();
  for (const auto& cell : cells_of(evaluation.confusion.counts())) {
    counts.push_back({cell.target, cell.predicted, cell.images});
  }
  OrderedJson mistakes = OrderedJson::array();
  for (const auto& mistake : evaluation.mistakes) {
    mistakes.push_back(
        {{"index", mistake.index},
         {"target", mistake.target},
         {"predicted", mistake.predicted},
         {"probability", mistake.probability},
         {"loss", mistake.loss}});
  }
  const OrderedJson json = {
      {"epoch", epoch},
      {"images", evaluation.images},
      {"loss", evaluation.loss},
      {"top1", evaluation.top1},
      {"top5", evaluation.top5},
      {"confusion_counts", std::move(counts)},
      {"mistakes", std::move(mistakes)}};
  return json.dump() + "\n";
}

std::optional<Evaluation> evaluation_from_json(
    const std::string& text, int64_t epoch, int64_t classes, std::size_t images) {
  try {
    const auto json = OrderedJson::parse(text);
    if (json.at("epoch").get<int64_t>() == epoch) {
      auto result = read(json, classes, images);
      if (is_possible(result, classes, images)) {
        return result;
      }
    }
  } catch (const OrderedJson::exception&) {
  } catch (const c10::ValueError&) {  // of a class that there is not
  }
  return std::nullopt;
}

}  // namespace vitrine::detail
