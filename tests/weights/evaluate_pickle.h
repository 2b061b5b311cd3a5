#pragma once

#include <string>

#include "vitrine/error.h"

#include "pickle_assembler.h"
#include "support/refusal.h"
#include "weights/pickle_describe.h"
#include "weights/pickle_reader.h"

namespace vitrine {

/// The values of a whole pickle.
inline detail::PickleGraph evaluate(const std::string& bytes) {
  const detail::MemoryBytes source(bytes);
  return detail::read_pickle(source, 0, source.size(), "m.pth: data.pkl");
}

/// The value of a pickle that consists of `opcodes`, in words.
inline std::string said(const std::string& opcodes) {
  const auto graph = evaluate(pickle::whole(opcodes));
  return detail::describe(graph, graph.root());
}

/// Expects that these bytes are refused, on one line with `cause` in it, at once and in little
/// memory.
inline void expect_pickle_refused(const std::string& bytes, const std::string& cause) {
  expect_refusal<CheckpointError>([&] { evaluate(bytes); }, "m.pth: data.pkl", {cause});
}

}  // namespace vitrine
