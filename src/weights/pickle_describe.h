#pragma once

#include <string>

#include "pickle_graph.h"

namespace vitrine::detail {

/// A kind for a message: "a list", "None".
std::string kind_name(PickleKind kind);

/// A value in a few words, fit to print: "the int 3", "a list of 2", "an object of
/// argparse.Namespace".
std::string describe(const PickleGraph& graph, PickleId id);

/// The full name of a Symbol, fit to print: "torch._utils._rebuild_tensor_v2".
std::string symbol_name(const PickleGraph& graph, PickleId id);

}  // namespace vitrine::detail
