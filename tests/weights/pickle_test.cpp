#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/error.h"

#include "cost_limit.h"
#include "pickle_assembler.h"
#include "weights/pickle_describe.h"
#include "weights/pickle_reader.h"

namespace vitrine {
namespace {

using detail::PickleGraph;
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

PickleGraph evaluate(const std::string& bytes) {
  const detail::MemoryBytes source(bytes);
  return detail::read_pickle(source, 0, source.size(), "m.pth: data.pkl");
}

/// The value of a pickle that consists of `opcodes`, in words.
std::string said(const std::string& opcodes) {
  const auto graph = evaluate(whole(opcodes));
  return detail::describe(graph, graph.root());
}

/// Expects that these bytes are refused, on one line with `cause` in it, at once and in little
/// memory.
void expect_refused(const std::string& bytes, const std::string& cause) {
  std::string message = "nothing was thrown";
  expect_cheap([&] {
    try {
      evaluate(bytes);
    } catch (const CheckpointError& error) {
      message = error.what();
    }
  });
  EXPECT_EQ(message.find("m.pth: data.pkl"), 0U) << message;
  EXPECT_NE(message.find(cause), std::string::npos) << "expected '" << cause << "' in: " << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

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
  expect_refused(whole(many + "00"), "underflow");
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
  expect_refused(whole(std::string(1'000'000, '(')), "leaves 0 values and 1000000 marks");
  expect_refused(whole(std::string(999'990, ']')), "leaves 999990 values");
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
    expect_refused("\x80\x02" + start + repeated(part, size / part.size()) + "\xFF", "");
  }
  for (const auto& opcode : {"r"s, "j"s}) {
    std::string bomb = "N";
    for (std::uint64_t i = 0; bomb.size() < size; ++i) {
      bomb += "r" + little(~(i * 65'537), 4);
    }
    expect_refused(bomb + opcode, "takes 4 bytes");
  }
}

TEST(Pickle, RefusesLengthsBeyondItsEnd) {
  for (const auto& opcode : {"X"s, "B"s, "\x8B"s}) {
    expect_refused("\x80\x02" + opcode + little(0xFFFFFFFF, 4) + "x", "takes 4294967295 bytes");
    expect_refused("\x80\x02" + opcode + little(2, 4) + "x", "takes 2 bytes, but only 1 are left");
  }
  for (const auto& opcode : {"\x8D"s, "\x8E"s, "\x96"s}) {
    expect_refused(
        "\x80\x04" + opcode + little(~std::uint64_t{0}, 8), "takes 18446744073709551615");
    expect_refused("\x80\x04" + opcode + little(std::uint64_t{1} << 63, 8), "takes 9223372036854");
  }
  for (const auto& opcode : {"U"s, "C"s, "\x8C"s, "\x8A"s}) {
    expect_refused("\x80\x02" + opcode + "\x05xxxx", "takes 5 bytes, but only 4 are left");
  }
  expect_refused("\x80\x04\x95" + little(2, 8) + "N", "FRAME announces 2 bytes, but only 1");
  expect_refused("\x80\x04\x95" + little(~std::uint64_t{0}, 8) + "N", "FRAME announces");
}

TEST(Pickle, RefusesToEndWithinAnOpcode) {
  for (const auto& opcode :
       {"J"s, "K"s, "M"s, "G"s, "X"s, "q"s, "r"s, "h"s, "j"s, "\x80"s, "\x95"s}) {
    expect_refused("N" + opcode, "but only 0 are left; is the download incomplete?");
  }
}

TEST(Pickle, RefusesToEndWithoutStop) {
  expect_refused("", "ends at its byte 0 without a STOP");
  expect_refused("\x80\x02N", "ends at its byte 3 without a STOP");
}

TEST(Pickle, IsRefusedAtEveryLength) {
  const auto bytes = whole(
      dict({text("a"), integer(1), text("b"), global("m", "n") + tuple({"N", list({"N"})}) + "R"}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(evaluate(bytes.substr(0, size)), CheckpointError) << size;
  }
}

TEST(Pickle, RefusesNamesWithoutAnEnd) {
  expect_refused(
      "\x80\x02"
      "cos",
      "GLOBAL has a line that does not end");
  expect_refused(
      "\x80\x02"
      "cos\nsystem",
      "GLOBAL has a line that does not end");
  expect_refused(
      "\x80\x02"
      "c" +
          std::string(1'000'000, 'a'),
      "GLOBAL has a line that does not end");
}

TEST(Pickle, RefusesMemoPlacesThatAreNotSet) {
  expect_refused(whole(get(0)), "BINGET reads memo 0, which is not set");
  expect_refused(whole("N" + put(0) + get(1)), "BINGET reads memo 1");
  expect_refused(whole(get(0xFFFFFFFF)), "LONG_BINGET reads memo 4294967295");
  expect_refused(whole(put(0)), "BINPUT takes more values");
  expect_refused(whole("\x94"), "MEMOIZE takes more values");
}

TEST(Pickle, RefusesStackUnderflow) {
  for (const auto& opcodes :
       {"0"s,
        "\x85"s,
        "N\x86"s,
        "NN\x87"s,
        "a"s,
        "Na"s,
        "s"s,
        "Ns"s,
        "NNs"s,
        "R"s,
        ")R"s,
        "\x81"s,
        "b"s,
        "Nb"s,
        "Q"s,
        "\x93"s,
        "N\x93"s,
        "\x92"s,
        ")}\x92"s}) {
    expect_refused(whole(opcodes), "stack underflow");
    // What lies below a mark is out of reach, too.
    expect_refused(whole("NNNN(" + opcodes), opcodes == "0" ? "leaves 4 values" : "underflow");
  }
  expect_refused(whole("(Ne"), "underflow");
  expect_refused(whole("N((Ne"), "underflow");
}

TEST(Pickle, RefusesAMissingMark) {
  for (const auto& opcode : {"t"s, "e"s, "u"s, "1"s, "\x90"s, "\x91"s}) {
    expect_refused(whole("]N" + opcode), "needs a MARK");
  }
}

TEST(Pickle, RefusesAKeyWithoutAValue) {
  expect_refused(whole("}(Nu"), "SETITEMS has 1 keys and values, an odd number");
  expect_refused(whole("}(NNNu"), "SETITEMS has 3 keys and values, an odd number");
}

TEST(Pickle, RefusesValuesInThePlaceOfOthers) {
  expect_refused(whole("NNa"), "APPEND adds to None, expected a list");
  expect_refused(whole(")(Ne"), "APPENDS adds to a tuple, expected a list");
  expect_refused(whole("]NNs"), "SETITEM adds to a list, expected a dict");
  expect_refused(whole("](N\x90"), "ADDITEMS adds to a list, expected a set");
  expect_refused(whole("}Nb"), "BUILD sets the state of a dict");
  expect_refused(whole("K\1)R"), "REDUCE calls an int, expected a class or function");
  expect_refused(whole(global("a", "b") + "]R"), "REDUCE has a list for arguments");
  expect_refused(whole(global("a", "b") + ")]\x92"), "NEWOBJ_EX has a list for keywords");
  expect_refused(whole("K\1K\2\x93"), "STACK_GLOBAL names something by other than two strings");
}

TEST(Pickle, LeavesOneValue) {
  expect_refused(whole(""), "STOP leaves 0 values");
  expect_refused(whole("NN"), "STOP leaves 2 values");
  expect_refused(whole("(N"), "STOP leaves 1 values and 1 marks");
  EXPECT_EQ(said("N(0"), "None");
  EXPECT_EQ(said("N(NN1"), "None");
}

TEST(Pickle, RefusesEveryOtherOpcodeByName) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"I", "INT"},
      {"L", "LONG"},
      {"F", "FLOAT"},
      {"S", "STRING"},
      {"T", "BINSTRING"},
      {"V", "UNICODE"},
      {"l", "LIST"},
      {"d", "DICT"},
      {"2", "DUP"},
      {"g", "GET"},
      {"p", "PUT"},
      {"\x82", "EXT1"},
      {"\x83", "EXT2"},
      {"\x84", "EXT4"},
      {"i", "INST"},
      {"o", "OBJ"},
      {"P", "PERSID"},
      {"\x97", "NEXT_BUFFER"},
      {"\x98", "READONLY_BUFFER"},
      {"\xFF", "0xff"},
      {"\0"s, "0x00"}};
  for (const auto& [opcode, name] : refused) {
    expect_refused("\x80\x02N" + opcode + "0\n0\n.", "byte 3: " + name + " is no opcode");
  }
  expect_refused("\x80\x06N.", "PROTO names protocol 6, expected at most 5");
}

TEST(Pickle, EndsAtItsStop) {
  EXPECT_EQ(evaluate("\x80\x02N.trailing").byte_count(), 4U);
}

TEST(Pickle, IsAtMost64MiBLong) {
  const auto length = std::size_t{64} << 20;
  expect_refused("X" + little(length, 4) + std::string(length, 'x'), "goes beyond the 67108864");
}

}  // namespace
}  // namespace vitrine
