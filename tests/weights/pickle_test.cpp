#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "evaluate_pickle.h"
#include "pickle_assembler.h"
#include "weights/pickle_describe.h"

namespace vitrine {
namespace {

using detail::PickleKind;
using pickle::dict;
using pickle::get;
using pickle::global;
using pickle::integer;
using pickle::list;
using pickle::little;
using pickle::put;
using pickle::text;
using pickle::tuple;
using pickle::whole;
using std::string_literals::operator""s;

std::string repeated(const std::string& part, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) {
    all += part;
  }
  return all;
}

TEST(Pickle, HoldsConstants) {
  EXPECT_EQ(said("N"), "None");
  EXPECT_EQ(said("\x88"), "True");
  EXPECT_EQ(said("\x89"), "False");
  const auto graph = evaluate(whole("\x88"));
  EXPECT_EQ(graph.kind(graph.root()), PickleKind::Bool);
  EXPECT_TRUE(graph.boolean(graph.root()));
}

TEST(Pickle, HoldsIntegersOfEveryWidth) {
  EXPECT_EQ(said("K\xFF"), "the int 255");
  EXPECT_EQ(said("M\xFF\xFF"), "the int 65535");
  EXPECT_EQ(said("J\xFF\xFF\xFF\xFF"), "the int -1");
  EXPECT_EQ(said("J\0\0\0\x80"s), "the int -2147483648");
  EXPECT_EQ(said("\x8A\0"s), "the int 0");
  EXPECT_EQ(said("\x8A\x01\x80"), "the int -128");
  EXPECT_EQ(said("\x8A\x02\xFF\0"s), "the int 255");
  EXPECT_EQ(said("\x8A\x08\0\0\0\0\0\0\0\x80"s), "the int -9223372036854775808");
  EXPECT_EQ(said("\x8B" + little(2, 4) + "\x01\x02"), "the int 513");
}

TEST(Pickle, KeepsLargerIntegersAsBytes) {
  const auto graph = evaluate(whole("\x8A\x09\0\0\0\0\0\0\0\0\x01"s));
  EXPECT_EQ(graph.kind(graph.root()), PickleKind::Long);
  EXPECT_EQ(graph.text(graph.root()), "\0\0\0\0\0\0\0\0\x01"s);
  EXPECT_EQ(graph.integer(graph.root()), 0);
}

TEST(Pickle, HoldsFloatsWithTheHighestByteFirst) {
  const auto graph = evaluate(whole("G\x3F\xEA\0\0\0\0\0\0"s));
  EXPECT_EQ(graph.real(graph.root()), 0.8125);
  EXPECT_EQ(said("G\x3F\xEA\0\0\0\0\0\0"s), "the float 0.8125");
}

TEST(Pickle, HoldsStringsAndBytes) {
  EXPECT_EQ(said("X\x02\0\0\0hi"s), "the string 'hi'");
  EXPECT_EQ(said("U\x02hi"), "the string 'hi'");
  EXPECT_EQ(said("\x8C\x02hi"), "the string 'hi'");
  EXPECT_EQ(said("\x8D" + little(2, 8) + "hi"), "the string 'hi'");
  EXPECT_EQ(said("C\x03hi\0"s), "3 bytes");
  EXPECT_EQ(said("B" + little(2, 4) + "hi"), "2 bytes");
  EXPECT_EQ(said("\x8E" + little(2, 8) + "hi"), "2 bytes");
  EXPECT_EQ(said("\x96" + little(2, 8) + "hi"), "2 bytes");
  EXPECT_EQ(said(text("\x1b[31m\n")), "the string '\\x1b[31m\\x0a'");
  const auto graph = evaluate(whole(text("a\0b"s)));
  EXPECT_EQ(graph.text(graph.root()), "a\0b"s);
}

TEST(Pickle, HoldsTuplesListsAndSets) {
  EXPECT_EQ(said(")"), "a tuple of 0");
  EXPECT_EQ(said("(t"), "a tuple of 0");
  EXPECT_EQ(said("N\x85"), "a tuple of 1");
  EXPECT_EQ(said("NN\x86"), "a tuple of 2");
  EXPECT_EQ(said("NNN\x87"), "a tuple of 3");
  EXPECT_EQ(said("]NaNa"), "a list of 2");
  EXPECT_EQ(said("](NNNe"), "a list of 3");
  EXPECT_EQ(said("](e"), "a list of 0");
  EXPECT_EQ(said("\x8F(K\1K\2\x90"), "a set of 2");
  EXPECT_EQ(said("(K\1K\2\x91"), "a set of 2");
  const auto graph = evaluate(whole(tuple({integer(3), list({integer(4), integer(5)})})));
  const auto items = graph.items(graph.root());
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(graph.integer(items[0]), 3);
  ASSERT_EQ(graph.items(items[1]).size(), 2U);
  EXPECT_EQ(graph.integer(graph.items(items[1])[1]), 5);
}

TEST(Pickle, HoldsDictsInTheirOrder) {
  const auto graph =
      evaluate(whole(dict({text("b"), integer(1), text("a"), integer(2)}) + text("c") + "Ns"));
  const auto pairs = graph.pairs(graph.root());
  ASSERT_EQ(pairs.size(), 6U);
  EXPECT_EQ(graph.text(pairs[0]), "b");
  EXPECT_EQ(graph.integer(pairs[1]), 1);
  EXPECT_EQ(graph.text(pairs[2]), "a");
  EXPECT_EQ(graph.text(pairs[4]), "c");
  EXPECT_EQ(graph.kind(pairs[5]), PickleKind::None);
}

TEST(Pickle, ImportsAndCallsNothing) {
  const auto opcodes = global("os", "system") + tuple({text("touch /tmp/owned")}) + "R";
  const auto graph = evaluate(whole(opcodes));
  ASSERT_EQ(graph.kind(graph.root()), PickleKind::Object);
  EXPECT_TRUE(graph.is_symbol(graph.callable(graph.root()), "os", "system"));
  EXPECT_EQ(graph.items(graph.arguments(graph.root())).size(), 1U);
  EXPECT_EQ(said(opcodes), "an object of os.system");
  EXPECT_EQ(said(text("os") + text("system") + "\x93"), "os.system");
  EXPECT_EQ(said(global("builtins", "eval") + ")\x81"), "an object of builtins.eval");
  EXPECT_EQ(said(global("a", "b") + ")}\x92"), "an object of a.b");
  EXPECT_EQ(said(global("a", "b") + ")R)R"), "an object");
}

TEST(Pickle, KeepsWhatIsPutIntoObjects) {
  const auto graph = evaluate(whole(
      global("yacs.config", "CfgNode") + ")\x81" + "(" + text("lr") + integer(3) + "u" + "(" +
      integer(8) + "e" + dict({text("x"), "N"}) + "b"));
  const auto root = graph.root();
  ASSERT_EQ(graph.pairs(root).size(), 2U);
  EXPECT_EQ(graph.text(graph.pairs(root)[0]), "lr");
  ASSERT_EQ(graph.items(root).size(), 1U);
  EXPECT_EQ(graph.integer(graph.items(root)[0]), 8);
  EXPECT_EQ(graph.kind(graph.state(root)), PickleKind::Dict);
}

TEST(Pickle, NamesPersistentValuesByTheirIdentity) {
  const auto graph = evaluate(whole(tuple({text("a") + "Q", text("b") + "Q"})));
  const auto items = graph.items(graph.root());
  ASSERT_EQ(graph.persistent_ids().size(), 2U);
  EXPECT_EQ(graph.kind(items[1]), PickleKind::Persistent);
  EXPECT_EQ(graph.text(graph.persistent_ids()[graph.persistent_index(items[1])]), "b");
}

TEST(Pickle, SharesWhatTheMemoNames) {
  const auto graph = evaluate(whole("]" + put(0) + "0" + tuple({get(0), get(0)})));
  const auto items = graph.items(graph.root());
  EXPECT_EQ(items[0], items[1]);
  EXPECT_EQ(said("K\7\x94K\x08\x94" + get(0) + "\x87"), "a tuple of 3");
}

TEST(Pickle, TakesMemoPlacesUpToTheLargest) {
  EXPECT_EQ(said("K\7" + put(0xFFFFFFFF) + "0" + get(0xFFFFFFFF)), "the int 7");
  EXPECT_EQ(said("K\7" + put(5) + "0K\x08" + put(0) + "0" + get(5)), "the int 7");
  // What was put out of order is found, and replaced, where the order has caught up with it.
  EXPECT_EQ(
      said("K\7" + put(1) + "0K\x08" + put(0) + "0K\x09" + put(1) + "0" + get(1)), "the int 9");
  std::string many = "K\7";
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    many += put(4'000'000'000 - 40'009 * i);
  }
  expect_pickle_refused(whole(many + "00"), "underflow");
}

TEST(Pickle, MayHoldItself) {
  const auto graph = evaluate(whole("]" + put(0) + get(0) + "a"));
  EXPECT_EQ(graph.items(graph.root())[0], graph.root());
  const auto object = evaluate(whole(global("a", "b") + ")R" + put(0) + get(0) + "b"));
  EXPECT_EQ(object.state(object.root()), object.root());
}

TEST(Pickle, NestsAMillionLevelsDeep) {
  const auto deep_tuple = evaluate(whole(")" + std::string(999'990, '\x85')));
  EXPECT_EQ(deep_tuple.items(deep_tuple.root()).size(), 1U);
  const auto deep_list = evaluate(whole(std::string(300'000, ']') + std::string(299'999, 'a')));
  EXPECT_EQ(deep_list.items(deep_list.root()).size(), 1U);
  expect_pickle_refused(whole(std::string(1'000'000, '(')), "leaves 0 values and 1000000 marks");
  expect_pickle_refused(whole(std::string(999'990, ']')), "leaves 999990 values");
}

TEST(Pickle, CopiesNothingThatIsShared) {
  std::string laughs = ")" + put(0);
  for (std::uint64_t i = 0; i < 250; ++i) {
    laughs += "0(" + repeated(get(i), 10) + "t" + put(i + 1);
  }
  const auto graph = evaluate(whole(laughs));
  EXPECT_EQ(graph.items(graph.root()).size(), 10U);
  EXPECT_LT(graph.size(), 300U);
}

TEST(Pickle, TakesMemoryInProportionToItsBytes) {
  const std::size_t size = 1'000'000;
  const std::vector<std::string> parts = {
      "N",
      "K\1",
      "]",
      "}",
      "\x8F",
      ")",
      "\x94",
      "(",
      ")\x85",
      "]Na",
      "}NNs",
      "X\0\0\0\0"s,
      "N\x86",
      "U\0"s,
      "](e",
      "Q",
      ")R"};
  for (const auto& part : parts) {
    SCOPED_TRACE(detail::describe(evaluate(whole(text(part))), 4));
    const auto start = global("a", "b") + put(0);
    expect_pickle_refused("\x80\x02" + start + repeated(part, size / part.size()) + "\xFF", "");
  }
  for (const auto& opcode : {"r"s, "j"s}) {
    std::string bomb = "N";
    for (std::uint64_t i = 0; bomb.size() < size; ++i) {
      bomb += "r" + little(~(i * 65'537), 4);
    }
    expect_pickle_refused(bomb + opcode, "takes 4 bytes");
  }
}

}  // namespace
}  // namespace vitrine
