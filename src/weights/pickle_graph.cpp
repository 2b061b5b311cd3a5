#include "pickle_graph.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vitrine::detail {

PickleGraph::PickleGraph() : lists_(1) {
  // At the places that kNone, kFalse, kTrue and kEmptyTuple name.
  add(PickleKind::None, 0, 0);
  add(PickleKind::Bool, 0, 0);
  add(PickleKind::Bool, 1, 0);
  add(PickleKind::Tuple, 0, 0);
}

bool PickleGraph::boolean(PickleId id) const {
  return kind(id) == PickleKind::Bool && nodes_[id].value != 0;
}

std::int64_t PickleGraph::integer(PickleId id) const {
  return kind(id) == PickleKind::Int ? static_cast<std::int64_t>(nodes_[id].value) : 0;
}

double PickleGraph::real(PickleId id) const {
  double value = 0;
  if (kind(id) == PickleKind::Float) {
    std::memcpy(&value, &nodes_[id].value, sizeof(value));
  }
  return value;
}

std::string_view PickleGraph::text(PickleId id) const {
  switch (kind(id)) {
    case PickleKind::String:
    case PickleKind::Bytes:
    case PickleKind::Long:
      return std::string_view(bytes_).substr(nodes_[id].value, nodes_[id].extra);
    default:
      return {};
  }
}

PickleSpan PickleGraph::items(PickleId id) const {
  const auto& node = nodes_[id];
  switch (node.kind) {
    case PickleKind::Tuple:
      return {tuple_items_.data() + node.value, node.extra};
    case PickleKind::List:
    case PickleKind::Set:
      return list(node.value);
    case PickleKind::Object:
      return list(objects_[node.value].items);
    default:
      return {};
  }
}

PickleSpan PickleGraph::pairs(PickleId id) const {
  const auto& node = nodes_[id];
  switch (node.kind) {
    case PickleKind::Dict:
      return list(node.value);
    case PickleKind::Object:
      return list(objects_[node.value].pairs);
    default:
      return {};
  }
}

std::string_view PickleGraph::module(PickleId id) const {
  const auto& node = nodes_[id];
  return node.kind == PickleKind::Symbol ? text(static_cast<PickleId>(node.value)) : "";
}

std::string_view PickleGraph::name(PickleId id) const {
  const auto& node = nodes_[id];
  return node.kind == PickleKind::Symbol ? text(node.extra) : "";
}

bool PickleGraph::is_symbol(
    PickleId id, std::string_view module_name, std::string_view symbol_name) const {
  return kind(id) == PickleKind::Symbol && name(id) == symbol_name && module(id) == module_name;
}

PickleId PickleGraph::callable(PickleId id) const {
  return kind(id) == PickleKind::Object ? objects_[nodes_[id].value].callable : kNone;
}

PickleId PickleGraph::arguments(PickleId id) const {
  return kind(id) == PickleKind::Object ? objects_[nodes_[id].value].arguments : kNone;
}

PickleId PickleGraph::state(PickleId id) const {
  return kind(id) == PickleKind::Object ? objects_[nodes_[id].value].state : kNone;
}

PickleId PickleGraph::add_int(std::int64_t value) {
  return add(PickleKind::Int, static_cast<std::uint64_t>(value), 0);
}

PickleId PickleGraph::add_float(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return add(PickleKind::Float, bits, 0);
}

PickleId PickleGraph::add_text(PickleKind kind, PickleText text) {
  return add(kind, text.offset, static_cast<std::uint32_t>(text.size));
}

PickleId PickleGraph::add_tuple(const PickleId* items, std::size_t size) {
  const auto place = tuple_items_.size();
  tuple_items_.insert(tuple_items_.end(), items, items + size);
  return add(PickleKind::Tuple, place, static_cast<std::uint32_t>(size));
}

PickleId PickleGraph::add_container(PickleKind kind) {
  return add(kind, 0, 0);
}

PickleId PickleGraph::add_symbol(PickleId module, PickleId name) {
  return add(PickleKind::Symbol, module, name);
}

PickleId PickleGraph::add_persistent(PickleId identity) {
  persistent_ids_.push_back(identity);
  return add(PickleKind::Persistent, persistent_ids_.size() - 1, 0);
}

PickleId PickleGraph::add_object(PickleId callable, PickleId arguments) {
  objects_.push_back({callable, arguments, kNone, 0, 0});
  return add(PickleKind::Object, objects_.size() - 1, 0);
}

void PickleGraph::add_items(PickleId id, const PickleId* items, std::size_t size) {
  auto& node = nodes_[id];
  if (node.kind == PickleKind::Object) {
    auto& object = objects_[node.value];
    object.items = extend(object.items, items, size);
  } else {
    node.value = extend(node.value, items, size);
  }
}

void PickleGraph::add_pairs(PickleId id, const PickleId* pairs, std::size_t size) {
  auto& node = nodes_[id];
  if (node.kind == PickleKind::Object) {
    auto& object = objects_[node.value];
    object.pairs = extend(object.pairs, pairs, size);
  } else {
    node.value = extend(node.value, pairs, size);
  }
}

void PickleGraph::set_state(PickleId id, PickleId state) {
  objects_[nodes_[id].value].state = state;
}

void PickleGraph::finish(PickleId root, std::string bytes) {
  root_ = root;
  bytes_ = std::move(bytes);
}

PickleId PickleGraph::add(PickleKind kind, std::uint64_t value, std::uint32_t extra) {
  nodes_.push_back({value, extra, kind});
  return static_cast<PickleId>(nodes_.size() - 1);
}

PickleSpan PickleGraph::list(std::uint64_t place) const {
  const auto& list = lists_[place];
  return {list_items_.data() + list.begin, list.size};
}

/// Appends to a list, which is made at its first values; gives its place. A list that is full moves
/// to the end of the common array, with room for as much again.
std::uint32_t PickleGraph::extend(std::uint64_t place, const PickleId* values, std::size_t count) {
  if (place == 0 && count > 0) {
    place = lists_.size();
    lists_.push_back({static_cast<std::uint32_t>(list_items_.size()), 0, 0});
  }
  auto& list = lists_[place];
  const auto size = list.size + count;
  if (size > list.capacity) {
    const auto capacity = std::max<std::size_t>(size, std::size_t{2} * list.size);
    const bool is_last = std::size_t{list.begin} + list.capacity == list_items_.size();
    const auto begin = is_last ? list.begin : list_items_.size();
    list_items_.resize(begin + capacity);
    if (!is_last) {
      std::copy_n(list_items_.data() + list.begin, list.size, list_items_.data() + begin);
    }
    list.begin = static_cast<std::uint32_t>(begin);
    list.capacity = static_cast<std::uint32_t>(capacity);
  }
  std::copy_n(values, count, list_items_.data() + list.begin + list.size);
  list.size = static_cast<std::uint32_t>(size);
  return static_cast<std::uint32_t>(place);
}

}  // namespace vitrine::detail
