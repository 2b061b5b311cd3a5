#include "pickle_describe.h"

#include <cstdio>

#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

constexpr std::size_t kLongestText = 60;

std::string float_text(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

std::string sized(PickleKind kind, std::size_t size) {
  return kind_name(kind) + " of " + std::to_string(size);
}

}  // namespace

std::string kind_name(PickleKind kind) {
  switch (kind) {
    case PickleKind::None:
      return "None";
    case PickleKind::Bool:
      return "a bool";
    case PickleKind::Int:
    case PickleKind::Long:
      return "an int";
    case PickleKind::Float:
      return "a float";
    case PickleKind::String:
      return "a string";
    case PickleKind::Bytes:
      return "bytes";
    case PickleKind::Tuple:
      return "a tuple";
    case PickleKind::List:
      return "a list";
    case PickleKind::Dict:
      return "a dict";
    case PickleKind::Set:
      return "a set";
    case PickleKind::Symbol:
      return "a class or function";
    case PickleKind::Persistent:
      return "a persistent value";
    case PickleKind::Object:
      return "an object";
  }
  return "";
}

std::string symbol_name(const PickleGraph& graph, PickleId id) {
  return printable(graph.module(id), kLongestText) + "." + printable(graph.name(id), kLongestText);
}

std::string describe(const PickleGraph& graph, PickleId id) {
  const auto kind = graph.kind(id);
  switch (kind) {
    case PickleKind::Bool:
      return graph.boolean(id) ? "True" : "False";
    case PickleKind::Int:
      return "the int " + std::to_string(graph.integer(id));
    case PickleKind::Float:
      return "the float " + float_text(graph.real(id));
    case PickleKind::String:
      return "the string '" + printable(graph.text(id), kLongestText) + "'";
    case PickleKind::Bytes:
      return std::to_string(graph.text(id).size()) + " bytes";
    case PickleKind::Tuple:
    case PickleKind::List:
    case PickleKind::Set:
      return sized(kind, graph.items(id).size());
    case PickleKind::Dict:
      return sized(kind, graph.pairs(id).size() / 2);
    case PickleKind::Symbol:
      return symbol_name(graph, id);
    case PickleKind::Object: {
      const auto callable = graph.callable(id);
      return graph.kind(callable) == PickleKind::Symbol
                 ? "an object of " + symbol_name(graph, callable)
                 : kind_name(kind);
    }
    default:
      return kind_name(kind);
  }
}

}  // namespace vitrine::detail
