#include "vitrine/weights/inspect.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/models/registry.h"
#include "vitrine/text.h"
#include "vitrine/weights/model_file.h"

#include "commands.h"
#include "common_options.h"
#include "inputs.h"
#include "table.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

// Rows of a table unless --all is given: of tensors, which the largest model of the zoo has fewer
// of, and of each kind of misfit.
constexpr std::size_t kMostTensors = 1000;
constexpr std::size_t kMostMisfits = 20;

std::int64_t values_of(const InspectedTensor& tensor) {
  std::int64_t count = 1;
  for (const auto size : tensor.shape) {
    count *= size;
  }
  return count;
}

std::string shape_text(const InspectedTensor& tensor) {
  std::vector<std::string> sizes;
  for (const auto size : tensor.shape) {
    sizes.push_back(std::to_string(size));
  }
  return "[" + join(sizes, ", ") + "]";
}

/// "152 tensors, 5717416 values, 22.9 MB (F32)"
std::string sum_text(const Inspection& found) {
  std::int64_t values = 0;
  std::uint64_t bytes = 0;
  std::map<std::string, int> types;
  for (const auto& tensor : found.tensors) {
    values += values_of(tensor);
    bytes += tensor.bytes;
    ++types[tensor.dtype];
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : types) {
    names.push_back(types.size() == 1 ? name : name + ": " + std::to_string(count));
  }
  char text[160];
  std::snprintf(
      text,
      sizeof(text),
      "%zu tensors, %lld values, %.1f MB",
      found.tensors.size(),
      static_cast<long long>(values),
      static_cast<double>(bytes) / 1e6);
  return text + (names.empty() ? "" : " (" + join(names, ", ") + ")");
}

/// What timm calls it: nothing where the name is timm's already.
std::string timm_text(const InspectedTensor& tensor) {
  if (tensor.timm_names.empty()) {
    return tensor.needed ? "(unknown)" : "(not needed)";
  }
  return tensor.timm_names == std::vector<std::string>{tensor.name}
             ? ""
             : printable(join(tensor.timm_names, ", "));
}

/// The table of the first `most` tensors.
void print_tensors(const Inspection& found, std::size_t most) {
  std::vector<std::vector<std::string>> rows = {{"tensor", "type", "shape", "by timm's name"}};
  const auto shown = std::min(found.tensors.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& tensor = found.tensors[i];
    rows.push_back({printable(tensor.name), tensor.dtype, shape_text(tensor), timm_text(tensor)});
  }
  std::cout << '\n';
  print_columns(std::cout, rows, {});
  if (shown < found.tensors.size()) {
    std::cout << "and " << found.tensors.size() - shown << " more; --all shows them\n";
  }
}

/// "test_vit with depth=3, told by its tensors"
std::string model_text(const Inspection& found) {
  return found.architecture + (found.options.empty() ? "" : " with " + found.options) +
         ", told by " + found.told_by;
}

/// The table of what stands against loading, `most` names of a kind, or one line where nothing
/// does.
void print_fit(const FitReport& fit, std::size_t most) {
  if (fit.fits()) {
    std::cout << "\nfits the model"
              << (fit.resampled.empty() ? "" : ", resampled: " + join(fit.resampled, ", ")) << '\n';
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [what, names] :
       {std::pair{"missing", &fit.missing},
        std::pair{"unknown", &fit.unknown},
        std::pair{"misshapen", &fit.misshapen}}) {
    const auto shown = std::min(names->size(), most);
    for (std::size_t i = 0; i < shown; ++i) {
      rows.push_back({what, (*names)[i]});
    }
    if (shown < names->size()) {
      rows.push_back(
          {what, "and " + std::to_string(names->size() - shown) + " more; --all shows them"});
    }
  }
  std::cout << "\ndoes not fit the model" << (fit.hint.empty() ? "" : ": " + fit.hint) << '\n';
  print_columns(std::cout, rows, {});
}

/// `all`: however many rows it takes, and the tensors of a file that is compared as well.
void print_table(
    const std::string& path,
    const Inspection& found,
    const std::optional<FitReport>& fit,
    bool all) {
  std::vector<std::vector<std::string>> head = {
      {"file", path_text(path)},
      {"kind", found.kind},
      {"holds", sum_text(found)},
      {"names", found.layout.empty() ? "of no library that vitrine knows" : "of " + found.layout},
      {"model", found.architecture.empty() ? found.problem : model_text(found)}};
  if (!found.state_dict.empty()) {
    head.insert(head.begin() + 2, {"weights", "under " + printable(found.state_dict)});
  }
  for (const auto& [name, text] : found.metadata) {
    head.push_back({"metadata", printable(name) + ": " + printable(text)});
  }
  for (const auto& value : found.values) {
    head.push_back({"beside", printable(value.name) + " " + value.description});
  }
  print_columns(std::cout, head, {});
  if (all || !fit) {
    print_tensors(found, all ? found.tensors.size() : kMostTensors);
  }
  if (fit) {
    print_fit(*fit, all ? std::numeric_limits<std::size_t>::max() : kMostMisfits);
  }
}

void print_json(
    const std::string& path, const Inspection& found, const std::optional<FitReport>& fit) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? ordered_json() : ordered_json(text);
  };
  ordered_json json = {
      {"file", path},
      {"kind", found.kind},
      {"bytes", found.bytes},
      {"layout", or_null(found.layout)},
      {"state_dict", or_null(found.state_dict)},
      {"model", or_null(found.architecture)},
      {"options", or_null(found.options)},
      {"told_by", or_null(found.told_by)},
      {"problem", or_null(found.problem)},
      {"metadata", found.metadata}};
  json["values"] = ordered_json::array();
  for (const auto& value : found.values) {
    json["values"].push_back({{"name", value.name}, {"description", value.description}});
  }
  json["tensors"] = ordered_json::array();
  for (const auto& tensor : found.tensors) {
    json["tensors"].push_back(
        {{"name", tensor.name},
         {"dtype", tensor.dtype},
         {"shape", tensor.shape},
         {"bytes", tensor.bytes},
         {"needed", tensor.needed},
         {"timm", tensor.timm_names}});
  }
  if (fit) {
    json["fit"] = {
        {"missing", fit->missing},
        {"unknown", fit->unknown},
        {"misshapen", fit->misshapen},
        {"resampled", fit->resampled},
        {"hint", or_null(fit->hint)}};
  }
  std::cout << json.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

/// How the file fits the model of --model; nothing without one.
std::optional<FitReport> compare(const Arguments& arguments, const std::string& path) {
  if (!arguments.given("model")) {
    for (const auto* option : {"num-classes", "image-size", "model-kwargs"}) {
      if (arguments.given(option)) {
        throw UsageError(std::string("inspect: --") + option + " needs --model NAME");
      }
    }
    return std::nullopt;
  }
  const auto name = arguments.text("model");
  ModelFileOptions options;
  options.architecture = name;
  options.options = model_options(arguments, find_card(name).family);
  options.checkpoint_key = arguments.text("checkpoint-key");
  return compare_model(path, options);
}

int run_inspect(const Arguments& arguments) {
  const auto& path = arguments.operands()[0];
  const auto found = inspect_checkpoint(path, arguments.text("checkpoint-key"));
  const auto fit = compare(arguments, path);
  if (arguments.text("format") == "json") {
    print_json(path, found, fit);
  } else {
    print_table(path, found, fit, arguments.flag("all"));
  }
  return fit && !fit->fits() ? 1 : 0;
}

}  // namespace

Command inspect_command() {
  CommandSpec spec;
  spec.name = "inspect";
  spec.summary = "tell what a checkpoint holds";
  spec.operands = "FILE";
  spec.least_operands = 1;
  spec.most_operands = 1;
  spec.description =
      "FILE is a safetensors or PyTorch file. Prints its kind, whose names its tensors bear, the\n"
      "model that they are, each tensor with its type and shape, and what else is there; with\n"
      "--model, what stands against loading it as that model. Nothing in the file is executed, "
      "and\n"
      "of the tensors only Swin V2's coordinates are read, which tell its windows.";
  spec.groups = {
      {"Inspection",
       {checkpoint_key_option(),
        text_option(
            "model", "NAME", "compare with this model of the zoo; status 1 if it does not fit"),
        num_classes_option(),
        image_size_option(),
        model_kwargs_option(),
        flag_option("all", "print tables in full, however long"),
        choice_option("format", {"table", "json"}, "how the result is printed", "table")}}};
  spec.examples = {
      "vitrine inspect model.safetensors",
      "vitrine inspect checkpoint.pth --checkpoint-key model_ema --format json",
      "vitrine inspect swin.pth --model swin_tiny_patch4_window7_224"};
  return {spec, run_inspect};
}

}  // namespace vitrine
