#include "python_object.h"

#include <cstdint>

namespace vitrine::detail {
namespace {

bool is_ordered_dict(const PickleGraph& graph, PickleId id) {
  return graph.is_symbol(graph.callable(id), "collections", "OrderedDict");
}

/// Adds the pairs that an OrderedDict was made with, as Python 2 wrote it.
void add_argument_items(const PickleGraph& graph, PickleId id, std::vector<MappingItem>& items) {
  const auto arguments = graph.items(graph.arguments(id));
  if (arguments.size() != 1) {
    return;
  }
  for (const auto pair : graph.items(arguments[0])) {
    const auto parts = graph.items(pair);
    if (parts.size() == 2) {
      items.push_back({parts[0], parts[1]});
    }
  }
}

/// The bytes that a text of the characters U+0000 to U+00FF stands for; nothing for another.
std::optional<std::string> latin1_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<std::uint8_t>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
      continue;
    }
    const bool complete =
        (first == 0xC2 || first == 0xC3) && i + 1 < text.size() && (text[i + 1] & 0xC0) == 0x80;
    if (!complete) {
      return std::nullopt;
    }
    ++i;
    bytes += static_cast<char>((first & 0x03) << 6 | (text[i] & 0x3F));
  }
  return bytes;
}

}  // namespace

bool is_mapping(const PickleGraph& graph, PickleId id) {
  return graph.kind(id) == PickleKind::Dict || is_ordered_dict(graph, id) ||
         !graph.pairs(id).empty();
}

std::vector<MappingItem> mapping_items(const PickleGraph& graph, PickleId id) {
  std::vector<MappingItem> items;
  if (is_ordered_dict(graph, id)) {
    add_argument_items(graph, id, items);
  }
  const auto pairs = graph.pairs(id);
  items.reserve(items.size() + pairs.size() / 2);
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    items.push_back({pairs[i], pairs[i + 1]});
  }
  return items;
}

std::optional<PickleId> find_item(const PickleGraph& graph, PickleId id, std::string_view key) {
  const auto items = mapping_items(graph, id);
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    if (graph.kind(item->key) == PickleKind::String && graph.text(item->key) == key) {
      return item->value;
    }
  }
  return std::nullopt;
}

PickleSpan set_items(const PickleGraph& graph, PickleId id) {
  if (graph.kind(id) == PickleKind::Set) {
    return graph.items(id);
  }
  const auto callable = graph.callable(id);
  const auto module = graph.module(callable);
  const auto name = graph.name(callable);
  const auto arguments = graph.items(graph.arguments(id));
  const bool is_set = (module == "builtins" || module == "__builtin__") &&
                      (name == "set" || name == "frozenset") && arguments.size() == 1;
  return is_set ? graph.items(arguments[0]) : PickleSpan();
}

std::optional<std::string> bytes_value(const PickleGraph& graph, PickleId id) {
  if (graph.kind(id) == PickleKind::Bytes) {
    return std::string(graph.text(id));
  }
  const auto arguments = graph.items(graph.arguments(id));
  if (!graph.is_symbol(graph.callable(id), "_codecs", "encode") || arguments.size() != 2 ||
      graph.kind(arguments[0]) != PickleKind::String || graph.text(arguments[1]) != "latin1") {
    return std::nullopt;
  }
  return latin1_bytes(graph.text(arguments[0]));
}

}  // namespace vitrine::detail
