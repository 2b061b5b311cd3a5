#pragma once

#include <string>
#include <vector>

#include "pickle_graph.h"

namespace vitrine::detail {

/// A value with the key that it has in a state dict.
struct StateEntry {
  std::string name;
  PickleId value = PickleGraph::kNone;
};

/// Whether `id` is a torch.nn.Module that was saved whole, `torch.save(model)`.
bool is_module(const PickleGraph& graph, PickleId id);

/// What `state_dict()` of the module `id` would hold: its parameters and persistent buffers, then
/// those of the modules in it, with their names before them. A module that stands in several places
/// is there for each of them. Throws CheckpointError, beginning with `subject`, when modules nest
/// without end or are far more than any model's.
std::vector<StateEntry> module_entries(
    const PickleGraph& graph, PickleId id, const std::string& subject);

}  // namespace vitrine::detail
