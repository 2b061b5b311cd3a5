#pragma once

#include <cstdint>
#include <string>

#include "byte_source.h"
#include "pickle_graph.h"

namespace vitrine::detail {

/// Evaluates the pickle in bytes [begin, end) of `source` up to its STOP, where
/// `PickleGraph::byte_count` then stands.
///
/// Nothing is imported and nothing is called: what a pickle would import becomes a Symbol, what it
/// would call with it an Object. Time and memory are in proportion to the bytes evaluated. Throws
/// CheckpointError, beginning with `subject`, on a pickle that is damaged, that has an opcode other
/// than `PickleOpcode`'s, or that treats a value as what it is not.
PickleGraph read_pickle(
    const ByteSource& source, std::uint64_t begin, std::uint64_t end, const std::string& subject);

}  // namespace vitrine::detail
