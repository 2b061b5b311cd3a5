#include "vitrine/weights/safetensors.h"

#include <torch/types.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "vitrine/file.h"
#include "vitrine/text.h"

#include "safetensors_file.h"

namespace vitrine {
namespace {

using StateItem = StateDict::Item;

/// `text` as a JSON string; `what` names it in the error when it is not UTF-8.
std::string quoted(const std::string& text, const char* what) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    TORCH_CHECK_VALUE(false, what, " '", printable(text), "' is not UTF-8");
  }
}

/// The items in the order of the file: wide types first, so that every tensor is aligned, then by
/// name.
std::vector<const StateItem*> sorted_items(const StateDict& tensors) {
  std::vector<const StateItem*> items;
  items.reserve(tensors.size());
  for (const auto& item : tensors) {
    const auto& tensor = item.value();
    const auto name = "tensor '" + printable(item.key()) + "'";
    TORCH_CHECK_VALUE(item.key() != "__metadata__", name, ": the format reserves this name");
    TORCH_CHECK_VALUE(tensor.defined(), name, " is undefined");
    TORCH_CHECK_VALUE(
        tensor.layout() == torch::kStrided && detail::file_dtype(tensor.scalar_type()),
        name,
        " is ",
        tensor.layout(),
        ", ",
        tensor.dtype(),
        ", which safetensors files do not hold here; "
        "expected strided float, double, half, bfloat16, int8 to int64, uint8 or bool");
    items.push_back(&item);
  }
  std::sort(items.begin(), items.end(), [](const StateItem* a, const StateItem* b) {
    const auto a_size = a->value().element_size();
    const auto b_size = b->value().element_size();
    return a_size != b_size ? a_size > b_size : a->key() < b->key();
  });
  return items;
}

std::string make_header(const std::vector<const StateItem*>& items, const Metadata& metadata) {
  std::string header = "{";
  const auto separate = [&] { header += header.size() > 1 ? "," : ""; };
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [name, text] : metadata) {
      header += header.back() == '{' ? "" : ",";
      header += quoted(name, "metadata") + ":" + quoted(text, "metadata");
    }
    header += "}";
  }
  std::size_t offset = 0;
  for (const auto* item : items) {
    const auto& tensor = item->value();
    const auto end = offset + tensor.nbytes();
    separate();
    header += quoted(item->key(), "tensor") + ":{\"dtype\":\"" +
              detail::dtype_name(*detail::file_dtype(tensor.scalar_type())) +
              "\",\"shape\":" + nlohmann::json(tensor.sizes().vec()).dump() +
              ",\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  header += "}";
  // Eight bytes of length come before: padded, the data begin at a multiple of eight.
  header.resize((header.size() + 7) / 8 * 8, ' ');
  TORCH_CHECK_VALUE(
      header.size() <= detail::kMaxHeader,
      "names and metadata take ",
      header.size(),
      " bytes, which is more than the ",
      detail::kMaxHeader,
      " of a safetensors header");
  return header;
}

}  // namespace

Safetensors read_safetensors(const std::string& path) {
  const detail::SafetensorsFile file(path);
  Safetensors result;
  result.metadata = file.header().metadata;
  for (const auto& entry : file.header().tensors) {
    file.type_of(entry);
  }
  result.tensors.reserve(file.header().tensors.size());
  for (const auto& entry : file.header().tensors) {
    result.tensors.insert(entry.name, file.read(entry));
  }
  return result;
}

Metadata read_safetensors_metadata(const std::string& path) {
  return detail::SafetensorsFile(path).header().metadata;
}

void write_safetensors(
    const std::string& path, const StateDict& tensors, const Metadata& metadata) {
  const auto items = sorted_items(tensors);
  const auto header = make_header(items, metadata);
  write_file_atomically(path, [&](File& file) {
    std::string prefix;
    for (std::size_t i = 0; i < detail::kHeaderPrefix; ++i) {
      prefix += static_cast<char>(header.size() >> (8 * i) & 0xFF);
    }
    file.write(prefix + header);
    for (const auto* item : items) {
      const auto tensor = item->value().detach().resolve_neg().cpu().contiguous();
      file.write(tensor.const_data_ptr(), tensor.nbytes());
    }
  });
}

}  // namespace vitrine
