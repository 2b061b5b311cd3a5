#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "pickle_stream.h"

namespace vitrine::detail {

/// What a value of a pickle is.
enum class PickleKind : std::uint8_t {
  None,
  Bool,
  Int,   // of 64 bits
  Long,  // an integer of more bits, as the bytes of its two's complement, the lowest first
  Float,
  String,  // UTF-8, unchecked
  Bytes,
  Tuple,
  List,
  Dict,  // keys and values in turn, in the order they were set; a key may come twice
  Set,
  Symbol,      // something that Python would import: a module and a name in it
  Persistent,  // something that lies outside the pickle, such as a storage
  Object,      // what Python would get by calling something
};

/// The number of a value in its graph.
using PickleId = std::uint32_t;

/// Numbers of consecutive values, valid until the graph changes.
class PickleSpan {
 public:
  PickleSpan() = default;
  PickleSpan(const PickleId* begin, std::size_t size) : begin_(begin), size_(size) {}

  const PickleId* begin() const { return begin_; }
  const PickleId* end() const { return begin_ + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  PickleId operator[](std::size_t i) const { return begin_[i]; }

 private:
  const PickleId* begin_ = nullptr;
  std::size_t size_ = 0;
};

/// The values of a pickle, with nothing imported, called or copied. A value that the pickle uses in
/// several places is one value here, too; a list may hold itself. Whoever walks a graph therefore
/// has to bound the walk. All values lie in a few arrays, so that no depth of nesting costs stack.
class PickleGraph {
 public:
  PickleGraph();

  /// What the pickle stands for.
  PickleId root() const { return root_; }
  /// The number of values, whose ids are all smaller.
  std::size_t size() const { return nodes_.size(); }
  /// Length of the pickle, its STOP included.
  std::uint64_t byte_count() const { return bytes_.size(); }

  PickleKind kind(PickleId id) const { return nodes_[id].kind; }
  // Each of these gives false, 0 or nothing for a value of another kind.
  bool boolean(PickleId id) const;
  std::int64_t integer(PickleId id) const;
  double real(PickleId id) const;
  /// Bytes of a String, Bytes or Long.
  std::string_view text(PickleId id) const;
  /// Elements of a Tuple, List or Set, and those added to an Object.
  PickleSpan items(PickleId id) const;
  /// Keys and values, in turn, of a Dict, and those set in an Object.
  PickleSpan pairs(PickleId id) const;

  /// Of a Symbol, such as "torch._utils" and "_rebuild_tensor_v2".
  std::string_view module(PickleId id) const;
  std::string_view name(PickleId id) const;
  bool is_symbol(PickleId id, std::string_view module, std::string_view name) const;

  /// Of an Object: what Python would call, with what, and the state it would set afterwards. None
  /// where there is none, and for a value of another kind.
  PickleId callable(PickleId id) const;
  PickleId arguments(PickleId id) const;
  PickleId state(PickleId id) const;

  /// For each Persistent value the value that identifies it; the place of one of them in it.
  const std::vector<PickleId>& persistent_ids() const { return persistent_ids_; }
  std::size_t persistent_index(PickleId id) const { return nodes_[id].value; }

  // What follows is for the reader, which builds the graph.
  static constexpr PickleId kNone = 0;
  static constexpr PickleId kFalse = 1;
  static constexpr PickleId kTrue = 2;
  static constexpr PickleId kEmptyTuple = 3;

  PickleId add_int(std::int64_t value);
  PickleId add_float(double value);
  /// A String, Bytes or Long.
  PickleId add_text(PickleKind kind, PickleText text);
  PickleId add_tuple(const PickleId* items, std::size_t size);
  /// An empty List, Dict or Set.
  PickleId add_container(PickleKind kind);
  PickleId add_symbol(PickleId module, PickleId name);
  PickleId add_persistent(PickleId identity);
  PickleId add_object(PickleId callable, PickleId arguments);
  /// Adds to the items of a List, Set or Object, or to the pairs of a Dict or Object.
  void add_items(PickleId id, const PickleId* items, std::size_t size);
  void add_pairs(PickleId id, const PickleId* pairs, std::size_t size);
  void set_state(PickleId id, PickleId state);
  void finish(PickleId root, std::string bytes);

 private:
  struct Node {
    std::uint64_t value = 0;  // by kind: the number; a place in an array below
    std::uint32_t extra = 0;  // by kind: a length; another value
    PickleKind kind = PickleKind::None;
  };
  struct ObjectNode {
    PickleId callable;
    PickleId arguments;
    PickleId state;
    std::uint32_t items;  // places in lists_
    std::uint32_t pairs;
  };
  struct ListNode {
    std::uint32_t begin;  // in list_items_
    std::uint32_t size;
    std::uint32_t capacity;
  };

  PickleId add(PickleKind kind, std::uint64_t value, std::uint32_t extra);
  PickleSpan list(std::uint64_t place) const;
  std::uint32_t extend(std::uint64_t place, const PickleId* values, std::size_t size);

  std::string bytes_;
  std::deque<Node> nodes_;  // grows without moving, so that memory is never taken twice
  std::vector<PickleId> tuple_items_;
  std::vector<ListNode> lists_;  // of what may grow; the first one stays empty
  std::vector<PickleId> list_items_;
  std::vector<ObjectNode> objects_;
  std::vector<PickleId> persistent_ids_;
  PickleId root_ = kNone;
};

}  // namespace vitrine::detail
