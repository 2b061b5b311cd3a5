#include "vitrine/weights/inspect.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/weights/model_file.h"

#include "dtype.h"
#include "pickle_describe.h"
#include "python_object.h"
#include "recognise.h"
#include "safetensors_file.h"
#include "weights_file.h"

namespace vitrine {
namespace {

using detail::WeightsFile;
using detail::WeightsKind;

const char* kind_text(WeightsKind kind) {
  switch (kind) {
    case WeightsKind::PthZip:
      return "PyTorch zip";
    case WeightsKind::PthLegacy:
      return "PyTorch legacy";
    case WeightsKind::Shards:
      return "safetensors in several files";
    case WeightsKind::Safetensors:
      break;
  }
  return "safetensors";
}

std::vector<InspectedTensor> own_tensors(const WeightsFile& file) {
  std::vector<InspectedTensor> tensors;
  const auto add = [&](const detail::TensorEntry& entry) {
    tensors.push_back({entry.name, entry.shape, dtype_name(entry.dtype), entry.size(), true, {}});
  };
  if (const auto* header = file.header()) {
    std::for_each(header->tensors.begin(), header->tensors.end(), add);
  }
  if (const auto* shards = file.shards()) {
    for (std::size_t i = 0; i < shards->size(); ++i) {
      add(shards->entry(i));
    }
  }
  for (const auto& [name, tensor] : file.tree().tensors) {
    tensors.push_back({name, tensor.shape, dtype_name(tensor.dtype), tensor.size(), true, {}});
  }
  return tensors;
}

/// What a PyTorch file holds beside its state dict, and what in that is no tensor for vitrine.
std::vector<InspectedValue> values_beside(const WeightsFile& file) {
  std::vector<InspectedValue> values;
  const auto& graph = file.pth()->graph();
  const auto& place = file.tree().path;
  if (!place.empty()) {
    for (const auto& [key, value] : detail::mapping_items(graph, graph.root())) {
      const auto name = std::string(graph.text(key));
      if (place.compare(0, name.size(), name) != 0) {
        values.push_back({name, "is " + detail::describe(graph, value)});
      }
    }
  }
  for (const auto& entry : file.tree().skipped) {
    values.push_back({entry.name, entry.reason});
  }
  return values;
}

}  // namespace

Inspection inspect_checkpoint(const std::string& path, const std::string& checkpoint_key) {
  const WeightsFile file(path, checkpoint_key);
  Inspection result;
  result.kind = kind_text(file.kind());
  result.bytes =
      file.shards() ? file.shards()->file_bytes() : std::filesystem::file_size(file.path());
  result.layout = file.tensors().layout();
  result.state_dict = file.tree().path;
  result.tensors = own_tensors(file);
  const auto& map = file.tensors().map();
  const std::set<std::size_t> unknown(map.unknown.begin(), map.unknown.end());
  for (const auto& tensor : map.tensors) {
    for (const auto source : tensor.sources) {
      if (unknown.count(source) == 0) {
        result.tensors[source].timm_names.push_back(tensor.name);
      }
    }
  }
  for (const auto source : map.dropped) {
    result.tensors[source].needed = false;
  }
  if (file.header() != nullptr) {
    result.metadata = file.header()->metadata;
  } else if (file.pth() != nullptr) {
    result.values = values_beside(file);
  }
  ModelFileOptions options;
  options.checkpoint_key = checkpoint_key;
  try {
    const auto card = read_card(file.path());
    if (card && !card->architecture.empty()) {
      result.architecture = find_model_card(file.path(), options).architecture;
      result.told_by = "its card";
    } else {
      auto found = detail::recognise(file);
      result.architecture = std::move(found.card.architecture);
      result.options = std::move(found.differences);
      result.told_by = std::move(found.told_by);
    }
  } catch (const CheckpointError& error) {
    const std::string message = error.what();
    const auto start = file.subject() + ": ";
    result.problem =
        message.substr(message.compare(0, start.size(), start) == 0 ? start.size() : 0);
  }
  return result;
}

}  // namespace vitrine
