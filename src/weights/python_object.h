#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pickle_graph.h"

namespace vitrine::detail {

/// A key of a mapping, with its value.
struct MappingItem {
  PickleId key;
  PickleId value;
};

/// Whether Python would have a mapping there: a Dict, a collections.OrderedDict, or another object
/// in which keys were set, such as a defaultdict.
bool is_mapping(const PickleGraph& graph, PickleId id);

/// The items of a mapping in the order they were set; a key that was set twice is there twice, and
/// its last value counts. None for another value.
std::vector<MappingItem> mapping_items(const PickleGraph& graph, PickleId id);

/// The value that a mapping has for a string, or nothing.
std::optional<PickleId> find_item(const PickleGraph& graph, PickleId id, std::string_view key);

/// The elements of a set: a Set, or the call of set or frozenset with a list, as protocol 2 writes
/// it. Nothing for another value.
PickleSpan set_items(const PickleGraph& graph, PickleId id);

/// The bytes that a value stands for: of Bytes themselves, or of the way that protocol 2 writes
/// them, as the call of _codecs.encode with a text and "latin1". Nothing for another value.
std::optional<std::string> bytes_value(const PickleGraph& graph, PickleId id);

}  // namespace vitrine::detail
