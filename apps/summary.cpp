#include "vitrine/models/summary.h"

#include <ATen/Functions.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "vitrine/models/registry.h"

#include "commands.h"
#include "common_options.h"
#include "table.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const auto side : shape) {
    text += (text.empty() ? "" : "x") + std::to_string(side);
  }
  return text;
}

/// 12345678 as 12,345,678.
std::string grouped(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3) {
    text.insert(static_cast<std::size_t>(i), ",");
  }
  return text;
}

void print_table(const std::string& name, const ModelSummary& summary, std::int64_t depth) {
  std::cout << "From the images to the logits:\n";
  std::vector<std::vector<std::string>> walk;
  for (const auto& step : summary.walk) {
    walk.push_back({"  " + shape_text(step.shape), step.name});
  }
  print_columns(std::cout, walk, {});
  std::cout
      << "\nModules; parameters and multiply-accumulates (MACs, of one image) with those below:\n";
  std::vector<std::vector<std::string>> rows{{"name", "type", "output", "parameters", "MACs"}};
  for (const auto& module : summary.modules) {
    if (module.depth > depth) {
      continue;
    }
    const auto dot = module.name.rfind('.');
    const auto own =
        module.depth == 0 ? name : module.name.substr(dot == std::string::npos ? 0 : dot + 1);
    rows.push_back(
        {std::string(2 * static_cast<std::size_t>(module.depth), ' ') + own,
         module.type,
         shape_text(module.output),
         grouped(module.parameters),
         grouped(module.macs)});
  }
  print_columns(std::cout, rows, {3, 4});
}

void print_json(const std::string& name, const ModelSummary& summary, std::int64_t depth) {
  auto modules = ordered_json::array();
  for (const auto& module : summary.modules) {
    if (module.depth <= depth) {
      modules.push_back(
          {{"name", module.name},
           {"type", module.type},
           {"depth", module.depth},
           {"output", module.output},
           {"parameters", module.parameters},
           {"macs", module.macs}});
    }
  }
  auto walk = ordered_json::array();
  for (const auto& step : summary.walk) {
    walk.push_back({{"name", step.name}, {"shape", step.shape}});
  }
  const ordered_json result{{"model", name}, {"walk", walk}, {"modules", modules}};
  std::cout << result.dump(2) << '\n';
}

int run_summary(const Arguments& arguments) {
  const auto name = arguments.operands()[0];
  const auto card = find_card(name);
  const auto model = create_model(name, model_options(arguments, card.family));
  const auto preprocess = preprocess_options(arguments, card.preprocess);
  const auto images = at::zeros(
      {arguments.whole("batch-size"), model->in_chans(), preprocess.height(), preprocess.width()});
  const auto summary = summarize(*model, images);
  if (arguments.text("format") == "json") {
    print_json(name, summary, arguments.whole("depth"));
  } else {
    print_table(name, summary, arguments.whole("depth"));
  }
  return 0;
}

}  // namespace

Command summary_command() {
  CommandSpec spec;
  spec.name = "summary";
  spec.summary = "show what a model is made of and the shapes it computes";
  spec.operands = "MODEL";
  spec.least_operands = 1;
  spec.most_operands = 1;
  spec.description =
      "MODEL is a name of the zoo ('vitrine models' lists them). Images are walked through it, and "
      "the\n"
      "tree of its modules is printed with the shape of each result, parameters and "
      "multiply-accumulates.";
  spec.groups = {
      {"Model", {model_kwargs_option(), num_classes_option(), image_size_option()}},
      {"Output",
       {whole_option("batch-size", "images that are walked", "1", 1, 4096),
        whole_option("depth", "levels of the tree that are printed", "99", 0, 99),
        choice_option("format", {"table", "json"}, "how it is printed", "table")}}};
  spec.examples = {
      "vitrine summary swin_tiny_patch4_window7_224 --depth 3",
      "vitrine summary vit_base_patch32_224 --batch-size 5 --image-size 256 --num-classes 20 \\\n"
      "      --model-kwargs embed_dim=1024,depth=6,num_heads=16,head_dim=64,mlp_ratio=2"};
  return {spec, run_summary};
}

}  // namespace vitrine
