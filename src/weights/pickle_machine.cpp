#include "pickle_machine.h"

#include <string>

#include "pickle_describe.h"

namespace vitrine::detail {
void PickleMemo::put(std::uint64_t place, PickleId id) {
  if (place < dense_.size()) {
    dense_[place] = id;
  } else if (place == dense_.size()) {
    dense_.push_back(id);
    sparse_.erase(place);
  } else {
    sparse_[place] = id;
  }
}

const PickleId* PickleMemo::get(std::uint64_t place) const {
  if (place < dense_.size()) {
    return &dense_[place];
  }
  const auto found = sparse_.find(place);
  return found == sparse_.end() ? nullptr : &found->second;
}

void PickleMachine::push_tuple(std::size_t size) {
  need(size);
  const auto from = stack_.size() - size;
  const auto tuple =
      size == 0 ? PickleGraph::kEmptyTuple : graph_.add_tuple(stack_.data() + from, size);
  stack_.resize(from);
  push(tuple);
}

void PickleMachine::push_object(bool has_keywords) {
  if (has_keywords) {
    const auto kind = graph_.kind(pop());  // they are of no use to anyone who does not call
    if (kind != PickleKind::Dict) {
      stream_.fail("has " + kind_name(kind) + " for keywords, expected a dict");
    }
  }
  const auto arguments = pop();
  if (graph_.kind(arguments) != PickleKind::Tuple) {
    stream_.fail("has " + kind_name(graph_.kind(arguments)) + " for arguments, expected a tuple");
  }
  const auto callable = pop();
  const auto kind = graph_.kind(callable);
  if (kind != PickleKind::Symbol && kind != PickleKind::Object && kind != PickleKind::Persistent) {
    stream_.fail("calls " + kind_name(kind) + ", expected a class or function");
  }
  push(graph_.add_object(callable, arguments));
}

void PickleMachine::push_symbol(PickleId module, PickleId name) {
  if (graph_.kind(module) != PickleKind::String || graph_.kind(name) != PickleKind::String) {
    stream_.fail("names something by other than two strings");
  }
  push(graph_.add_symbol(module, name));
}

PickleId PickleMachine::pop() {
  need(1);
  const auto id = stack_.back();
  stack_.pop_back();
  return id;
}

void PickleMachine::pop_value_or_mark() {
  if (!marks_.empty() && marks_.back() == stack_.size()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

void PickleMachine::get(std::uint64_t place) {
  const auto* id = memo_.get(place);
  if (id == nullptr) {
    stream_.fail("reads memo " + std::to_string(place) + ", which is not set");
  }
  push(*id);
}

PickleId PickleMachine::top() const {
  need(1);
  return stack_.back();
}

void PickleMachine::push_marked_set() {
  const auto from = pop_mark();
  const auto set = graph_.add_container(PickleKind::Set);
  graph_.add_items(set, stack_.data() + from, stack_.size() - from);
  stack_.resize(from);
  push(set);
}

void PickleMachine::add(PickleKind kind, std::size_t count) {
  need(count);
  add_from(kind, stack_.size() - count);
}

void PickleMachine::set_state() {
  const auto state = pop();
  if (graph_.kind(top()) != PickleKind::Object) {
    stream_.fail("sets the state of " + kind_name(graph_.kind(top())));
  }
  graph_.set_state(top(), state);
}

PickleId PickleMachine::finish() const {
  if (!marks_.empty() || stack_.size() != 1) {
    stream_.fail(
        "leaves " + std::to_string(stack_.size()) + " values and " + std::to_string(marks_.size()) +
        " marks on the stack, expected one value");
  }
  return stack_.front();
}

/// Checks that `count` values lie on the stack, above the last mark.
void PickleMachine::need(std::size_t count) const {
  if (stack_.size() - fence() < count) {
    stream_.fail("takes more values than there are on the stack: stack underflow");
  }
}

/// Removes the last mark; gives the place of the first value above it.
std::size_t PickleMachine::pop_mark() {
  if (marks_.empty()) {
    stream_.fail("needs a MARK on the stack, where there is none");
  }
  const auto place = marks_.back();
  marks_.pop_back();
  return place;
}

void PickleMachine::add_from(PickleKind kind, std::size_t from) {
  if (from == fence()) {
    stream_.fail("has no value below its items to add them to: stack underflow");
  }
  const auto target = stack_[from - 1];
  const auto found = graph_.kind(target);
  if (found != kind && found != PickleKind::Object) {
    stream_.fail("adds to " + kind_name(found) + ", expected " + kind_name(kind));
  }
  const auto size = stack_.size() - from;
  if (kind == PickleKind::Dict) {
    if (size % 2 != 0) {
      stream_.fail("has " + std::to_string(size) + " keys and values, an odd number");
    }
    graph_.add_pairs(target, stack_.data() + from, size);
  } else {
    graph_.add_items(target, stack_.data() + from, size);
  }
  stack_.resize(from);
}

}  // namespace vitrine::detail
