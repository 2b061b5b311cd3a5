#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/text.h"

#include "commands.h"
#include "percent.h"
#include "table.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

std::string side_text(const PreprocessOptions& preprocess) {
  return std::to_string(preprocess.height()) + "x" + std::to_string(preprocess.width());
}

std::string triple_text(const std::array<double, 3>& values) {
  return formatted("%g,%g,%g", values[0], values[1], values[2]);
}

void print_table(const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> rows{
      {"name", "family", "parameters", "GMACs", "input", "crop", "interpolation", "mean", "std"}};
  for (const auto& name : names) {
    const auto card = find_card(name);
    const auto& preprocess = card.preprocess;
    rows.push_back(
        {name,
         card.family,
         formatted("%.2f M", static_cast<double>(card.parameters) / 1e6),
         card.gmacs > 0 ? formatted("%.2f", card.gmacs) : "-",
         side_text(preprocess),
         formatted("%g ", preprocess.crop_pct()) + to_string(preprocess.crop_mode()),
         to_string(preprocess.interpolation()),
         triple_text(preprocess.mean()),
         triple_text(preprocess.std())});
  }
  print_columns(std::cout, rows, {2, 3});
}

void print_json(const std::vector<std::string>& names) {
  auto list = ordered_json::array();
  for (const auto& name : names) {
    const auto card = find_card(name);
    const auto& preprocess = card.preprocess;
    list.push_back({
        {"name", name},
        {"family", card.family},
        {"paper", card.paper},
        {"parameters", card.parameters},
        {"gmacs", card.gmacs > 0 ? ordered_json(card.gmacs) : ordered_json()},
        {"image_size", {preprocess.height(), preprocess.width()}},
        {"crop_pct", preprocess.crop_pct()},
        {"crop_mode", to_string(preprocess.crop_mode())},
        {"interpolation", to_string(preprocess.interpolation())},
        {"mean", preprocess.mean()},
        {"std", preprocess.std()},
    });
  }
  std::cout << list.dump(2) << '\n';
}

int run_models(const Arguments& arguments) {
  const auto pattern = arguments.operands().empty() ? "*" : arguments.operands()[0];
  const auto names = list_models(pattern);
  if (names.empty()) {
    throw Error(UnknownNameError("model", pattern, list_models()).what());
  }
  if (arguments.text("format") == "json") {
    print_json(names);
  } else {
    print_table(names);
  }
  return 0;
}

}  // namespace

Command models_command() {
  CommandSpec spec;
  spec.name = "models";
  spec.summary = "list the models of the zoo";
  spec.operands = "[PATTERN]";
  spec.most_operands = 1;
  spec.description =
      "PATTERN is a name, in which * stands for any characters and ? for one. GMACs are multiply-\n"
      "accumulates of one image, in 1e9. Nothing that matches is an error (status 1).";
  spec.groups = {
      {"Output", {choice_option("format", {"table", "json"}, "how the list is printed", "table")}}};
  spec.examples = {"vitrine models", "vitrine models 'swin_*'", "vitrine models --format json"};
  return {spec, run_models};
}

}  // namespace vitrine
