#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "pickle_graph.h"
#include "pickle_stream.h"

namespace vitrine::detail {

/// What the numbers of a pickle's GET opcodes name. Pickles number their values from 0 on; what
/// goes another way costs more, yet never more than in proportion to the opcodes.
class PickleMemo {
 public:
  std::size_t size() const { return dense_.size() + sparse_.size(); }
  void put(std::uint64_t place, PickleId id);
  /// The value at `place`, or nothing.
  const PickleId* get(std::uint64_t place) const;

 private:
  std::vector<PickleId> dense_;
  // No hash table: the places are the file's choice, and could be made to collide.
  std::map<std::uint64_t, PickleId> sparse_;
};

/// The stack, the marks on it and the memo: what a pickle's opcodes do, apart from how they are
/// written. Throws CheckpointError through the stream that they come from.
class PickleMachine {
 public:
  explicit PickleMachine(const PickleStream& stream) : stream_(stream) {}

  PickleGraph& graph() { return graph_; }

  void push(PickleId id) { stack_.push_back(id); }
  /// Replaces the last `size` values, or those above the last mark, by a tuple of them.
  void push_tuple(std::size_t size);
  void push_marked_tuple() { push_tuple(stack_.size() - pop_mark()); }
  void push_marked_set();
  void push_symbol(PickleId module, PickleId name);
  /// Replaces a callable, its arguments and perhaps a dict of keywords by an Object.
  void push_object(bool has_keywords);
  PickleId pop();

  void push_mark() { marks_.push_back(static_cast<std::uint32_t>(stack_.size())); }
  void pop_marked() { stack_.resize(pop_mark()); }
  /// Takes the last value, or the last mark where no value lies above it.
  void pop_value_or_mark();

  /// Moves the last `count` values, or those above the last mark, into the container below them: a
  /// List, Dict or Set, which is `kind`, or an Object, which may be like one.
  void add(PickleKind kind, std::size_t count);
  void add_marked(PickleKind kind) { add_from(kind, pop_mark()); }
  void set_state();

  void put(std::uint64_t place) { memo_.put(place, top()); }
  void put_next() { memo_.put(memo_.size(), top()); }
  void get(std::uint64_t place);

  /// The one value that is left.
  PickleId finish() const;

 private:
  std::size_t fence() const { return marks_.empty() ? 0 : marks_.back(); }
  void need(std::size_t count) const;
  PickleId top() const;
  std::size_t pop_mark();
  void add_from(PickleKind kind, std::size_t from);

  const PickleStream& stream_;
  PickleGraph graph_;
  std::vector<PickleId> stack_;
  std::vector<std::uint32_t> marks_;  // heights of the stack, none below the one before
  PickleMemo memo_;
};

}  // namespace vitrine::detail
