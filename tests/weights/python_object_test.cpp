#include "weights/python_object.h"

#include <gtest/gtest.h>

#include <string>

#include "evaluate_pickle.h"
#include "pickle_assembler.h"

namespace vitrine {
namespace {

using pickle::call;
using pickle::dict;
using pickle::integer;
using pickle::list;
using pickle::text;
using pickle::tuple;

detail::PickleGraph evaluate_opcodes(const std::string& opcodes) {
  return evaluate(pickle::whole(opcodes));
}

std::size_t count_items(const std::string& opcodes) {
  const auto graph = evaluate_opcodes(opcodes);
  return mapping_items(graph, graph.root()).size();
}

TEST(PythonObject, IsAMappingWhereKeysAreSet) {
  EXPECT_EQ(count_items(dict({text("a"), "N"})), 1U);
  EXPECT_EQ(count_items(call("collections", "OrderedDict", {}) + text("a") + "Ns"), 1U);
  EXPECT_EQ(count_items(call("collections", "defaultdict", {"N"}) + text("a") + "Ns"), 1U);
  EXPECT_EQ(
      count_items(call("collections", "OrderedDict", {list({tuple({text("a"), "N"}), "N"})})), 1U);
  const auto empty = evaluate_opcodes(call("collections", "OrderedDict", {}));
  EXPECT_TRUE(is_mapping(empty, empty.root()));
  for (const auto& opcodes : {list({"N"}), text("a"), call("m", "Net", {})}) {
    const auto graph = evaluate_opcodes(opcodes);
    EXPECT_FALSE(is_mapping(graph, graph.root()));
    EXPECT_TRUE(mapping_items(graph, graph.root()).empty());
  }
}

TEST(PythonObject, FindsTheLastValueOfAKey) {
  const auto graph =
      evaluate_opcodes(dict({text("a"), integer(1), integer(2), "N", text("a"), integer(3)}));
  EXPECT_EQ(graph.integer(find_item(graph, graph.root(), "a").value()), 3);
  EXPECT_FALSE(find_item(graph, graph.root(), "b").has_value());
}

TEST(PythonObject, HasSetsOfBothProtocols) {
  for (const auto& opcodes :
       {std::string("\x8F(NN\x90"),
        call("builtins", "set", {list({"N", "N"})}),
        call("__builtin__", "frozenset", {list({"N", "N"})})}) {
    const auto graph = evaluate_opcodes(opcodes);
    EXPECT_EQ(set_items(graph, graph.root()).size(), 2U);
  }
  const auto other = evaluate_opcodes(call("m", "set", {list({"N", "N"})}));
  EXPECT_TRUE(set_items(other, other.root()).empty());
}

TEST(PythonObject, HasBytesOfBothProtocols) {
  const auto bytes_of = [](const std::string& opcodes) {
    const auto graph = evaluate_opcodes(opcodes);
    return bytes_value(graph, graph.root());
  };
  EXPECT_EQ(bytes_of("C\x02\xFF\x01"), "\xFF\x01");
  EXPECT_EQ(
      bytes_of(call("_codecs", "encode", {text("a\xC3\xBF\xC2\x80"), text("latin1")})),
      "a\xFF\x80");
  EXPECT_EQ(bytes_of(call("_codecs", "encode", {text("a"), text("rot13")})), std::nullopt);
  EXPECT_EQ(bytes_of(call("_codecs", "encode", {text("\xC4\x80"), text("latin1")})), std::nullopt);
  EXPECT_EQ(bytes_of(call("_codecs", "encode", {text("\xC3"), text("latin1")})), std::nullopt);
  EXPECT_EQ(bytes_of(call("_codecs", "encode", {text("a")})), std::nullopt);
  EXPECT_EQ(bytes_of(text("a")), std::nullopt);
}

}  // namespace
}  // namespace vitrine
