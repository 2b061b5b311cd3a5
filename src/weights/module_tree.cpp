#include "module_tree.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "python_object.h"

namespace vitrine::detail {
namespace {

constexpr int kMaxDepth = 64;

/// What a walk may cost, about the bytes that it takes: modules that share modules that share
/// modules are soon more than fit anywhere.
constexpr std::size_t kBudget = std::size_t{1} << 23;
constexpr std::size_t kEntryCost = 128;
constexpr std::size_t kItemCost = 4;

/// The attributes of a module that its state dict is made of; None where it has them not.
struct ModuleParts {
  PickleId parameters = PickleGraph::kNone;
  PickleId buffers = PickleGraph::kNone;
  PickleId hidden_buffers = PickleGraph::kNone;  // names of those that are not saved
  PickleId modules = PickleGraph::kNone;
  std::size_t attributes = 0;  // how many there are in all
  bool complete = false;       // whether it is a module
};

ModuleParts module_parts(const PickleGraph& graph, PickleId id) {
  ModuleParts parts;
  const auto attributes = mapping_items(graph, graph.state(id));
  parts.attributes = attributes.size();
  for (const auto& [key, value] : attributes) {
    const auto name = graph.text(key);
    if (name == "_parameters") {
      parts.parameters = value;
    } else if (name == "_buffers") {
      parts.buffers = value;
    } else if (name == "_non_persistent_buffers_set") {
      parts.hidden_buffers = value;
    } else if (name == "_modules") {
      parts.modules = value;
    }
  }
  parts.complete = is_mapping(graph, parts.parameters) && is_mapping(graph, parts.buffers) &&
                   is_mapping(graph, parts.modules);
  return parts;
}

/// Walks modules from the outer to the inner ones.
class ModuleWalk {
 public:
  ModuleWalk(const PickleGraph& graph, const std::string& subject)
      : graph_(graph), subject_(subject) {}

  std::vector<StateEntry> walk(PickleId root);

 private:
  struct Visit {
    ModuleParts module;
    std::string prefix;  // what its entries' names begin with
    int depth;
  };

  void add_entries(const std::string& prefix, PickleId members, PickleSpan hidden);
  void push_modules(const Visit& visit);
  void spend(std::size_t cost);

  const PickleGraph& graph_;
  const std::string& subject_;
  std::size_t spent_ = 0;
  std::vector<Visit> stack_;
  std::vector<StateEntry> entries_;
};

std::vector<StateEntry> ModuleWalk::walk(PickleId root) {
  stack_.push_back({module_parts(graph_, root), "", 0});
  while (!stack_.empty()) {
    const auto visit = std::move(stack_.back());
    stack_.pop_back();
    const auto& module = visit.module;
    add_entries(visit.prefix, module.parameters, {});
    add_entries(visit.prefix, module.buffers, set_items(graph_, module.hidden_buffers));
    push_modules(visit);
  }
  return std::move(entries_);
}

void ModuleWalk::add_entries(const std::string& prefix, PickleId members, PickleSpan hidden) {
  const auto is_hidden = [&](std::string_view name) {
    spend(kItemCost * hidden.size());
    for (const auto id : hidden) {
      if (graph_.text(id) == name) {
        return true;
      }
    }
    return false;
  };
  for (const auto& [key, value] : mapping_items(graph_, members)) {
    const auto name = graph_.text(key);
    spend(kEntryCost + prefix.size() + name.size());
    if (value != PickleGraph::kNone && !is_hidden(name)) {
      entries_.push_back({prefix + std::string(name), value});
    }
  }
}

void ModuleWalk::push_modules(const Visit& visit) {
  const auto items = mapping_items(graph_, visit.module.modules);
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    const auto name = graph_.text(item->key);
    const auto module = module_parts(graph_, item->value);
    spend(kEntryCost + visit.prefix.size() + name.size() + kItemCost * module.attributes);
    if (!module.complete) {
      continue;  // None, where a part of the model is left out
    }
    if (visit.depth == kMaxDepth) {
      throw CheckpointError(
          subject_ + ": its modules nest deeper than " + std::to_string(kMaxDepth) +
          " levels, at '" + printable(visit.prefix, 100) + "'");
    }
    stack_.push_back({module, visit.prefix + std::string(name) + ".", visit.depth + 1});
  }
}

void ModuleWalk::spend(std::size_t cost) {
  spent_ += cost;
  if (spent_ > kBudget) {
    throw CheckpointError(subject_ + ": its modules and their names are too many to be a model's");
  }
}

}  // namespace

bool is_module(const PickleGraph& graph, PickleId id) {
  return module_parts(graph, id).complete;
}

std::vector<StateEntry> module_entries(
    const PickleGraph& graph, PickleId id, const std::string& subject) {
  return ModuleWalk(graph, subject).walk(id);
}

}  // namespace vitrine::detail
