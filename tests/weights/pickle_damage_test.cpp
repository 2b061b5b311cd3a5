#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "evaluate_pickle.h"
#include "pickle_assembler.h"

namespace vitrine {
namespace {

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

TEST(PickleDamage, RefusesLengthsBeyondItsEnd) {
  for (const auto& opcode : {"X"s, "B"s, "\x8B"s}) {
    expect_pickle_refused(
        "\x80\x02" + opcode + little(0xFFFFFFFF, 4) + "x", "takes 4294967295 bytes");
    expect_pickle_refused(
        "\x80\x02" + opcode + little(2, 4) + "x", "takes 2 bytes, but only 1 are left");
  }
  for (const auto& opcode : {"\x8D"s, "\x8E"s, "\x96"s}) {
    expect_pickle_refused(
        "\x80\x04" + opcode + little(~std::uint64_t{0}, 8), "takes 18446744073709551615");
    expect_pickle_refused(
        "\x80\x04" + opcode + little(std::uint64_t{1} << 63, 8), "takes 9223372036854");
  }
  for (const auto& opcode : {"U"s, "C"s, "\x8C"s, "\x8A"s}) {
    expect_pickle_refused("\x80\x02" + opcode + "\x05xxxx", "takes 5 bytes, but only 4 are left");
  }
  expect_pickle_refused("\x80\x04\x95" + little(2, 8) + "N", "FRAME announces 2 bytes, but only 1");
  expect_pickle_refused("\x80\x04\x95" + little(~std::uint64_t{0}, 8) + "N", "FRAME announces");
}

TEST(PickleDamage, RefusesToEndWithinAnOpcode) {
  for (const auto& opcode :
       {"J"s, "K"s, "M"s, "G"s, "X"s, "q"s, "r"s, "h"s, "j"s, "\x80"s, "\x95"s}) {
    expect_pickle_refused("N" + opcode, "but only 0 are left; is the download incomplete?");
  }
}

TEST(PickleDamage, RefusesToEndWithoutStop) {
  expect_pickle_refused("", "ends at its byte 0 without a STOP");
  expect_pickle_refused("\x80\x02N", "ends at its byte 3 without a STOP");
}

TEST(PickleDamage, IsRefusedAtEveryLength) {
  const auto bytes = whole(
      dict({text("a"), integer(1), text("b"), global("m", "n") + tuple({"N", list({"N"})}) + "R"}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    expect_refusal<CheckpointError>(
        [&] { evaluate(bytes.substr(0, size)); },
        "m.pth: data.pkl",
        {"ends at its byte " + std::to_string(size) + " without a STOP",
         " are left; is the download incomplete?",
         "has a line that does not end"});
  }
}

TEST(PickleDamage, RefusesNamesWithoutAnEnd) {
  expect_pickle_refused(
      "\x80\x02"
      "cos",
      "GLOBAL has a line that does not end");
  expect_pickle_refused(
      "\x80\x02"
      "cos\nsystem",
      "GLOBAL has a line that does not end");
  expect_pickle_refused(
      "\x80\x02"
      "c" +
          std::string(1'000'000, 'a'),
      "GLOBAL has a line that does not end");
}

TEST(PickleDamage, RefusesMemoPlacesThatAreNotSet) {
  expect_pickle_refused(whole(get(0)), "BINGET reads memo 0, which is not set");
  expect_pickle_refused(whole("N" + put(0) + get(1)), "BINGET reads memo 1");
  expect_pickle_refused(whole(get(0xFFFFFFFF)), "LONG_BINGET reads memo 4294967295");
  expect_pickle_refused(whole(put(0)), "BINPUT takes more values");
  expect_pickle_refused(whole("\x94"), "MEMOIZE takes more values");
}

TEST(PickleDamage, RefusesStackUnderflow) {
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
    expect_pickle_refused(whole(opcodes), "stack underflow");
    // What lies below a mark is out of reach, too.
    expect_pickle_refused(
        whole("NNNN(" + opcodes), opcodes == "0" ? "leaves 4 values" : "underflow");
  }
  expect_pickle_refused(whole("(Ne"), "underflow");
  expect_pickle_refused(whole("N((Ne"), "underflow");
}

TEST(PickleDamage, RefusesAMissingMark) {
  for (const auto& opcode : {"t"s, "e"s, "u"s, "1"s, "\x90"s, "\x91"s}) {
    expect_pickle_refused(whole("]N" + opcode), "needs a MARK");
  }
}

TEST(PickleDamage, RefusesAKeyWithoutAValue) {
  expect_pickle_refused(whole("}(Nu"), "SETITEMS has 1 keys and values, an odd number");
  expect_pickle_refused(whole("}(NNNu"), "SETITEMS has 3 keys and values, an odd number");
}

TEST(PickleDamage, RefusesValuesInThePlaceOfOthers) {
  expect_pickle_refused(whole("NNa"), "APPEND adds to None, expected a list");
  expect_pickle_refused(whole(")(Ne"), "APPENDS adds to a tuple, expected a list");
  expect_pickle_refused(whole("]NNs"), "SETITEM adds to a list, expected a dict");
  expect_pickle_refused(whole("](NNu"), "SETITEMS adds to a list, expected a dict");
  expect_pickle_refused(whole(")(NNu"), "SETITEMS adds to a tuple, expected a dict");
  expect_pickle_refused(whole("X\1\0\0\0a(NNu"s), "SETITEMS adds to a string, expected a dict");
  expect_pickle_refused(whole("](N\x90"), "ADDITEMS adds to a list, expected a set");
  expect_pickle_refused(whole("}Nb"), "BUILD sets the state of a dict");
  expect_pickle_refused(whole("K\1)R"), "REDUCE calls an int, expected a class or function");
  expect_pickle_refused(whole(global("a", "b") + "]R"), "REDUCE has a list for arguments");
  expect_pickle_refused(whole(global("a", "b") + ")]\x92"), "NEWOBJ_EX has a list for keywords");
  expect_pickle_refused(
      whole("K\1K\2\x93"), "STACK_GLOBAL names something by other than two strings");
}

TEST(PickleDamage, LeavesOneValue) {
  expect_pickle_refused(whole(""), "STOP leaves 0 values");
  expect_pickle_refused(whole("NN"), "STOP leaves 2 values");
  expect_pickle_refused(whole("(N"), "STOP leaves 1 values and 1 marks");
  EXPECT_EQ(said("N(0"), "None");
  EXPECT_EQ(said("N(NN1"), "None");
}

TEST(PickleDamage, RefusesEveryOtherOpcodeByName) {
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
    expect_pickle_refused("\x80\x02N" + opcode + "0\n0\n.", "byte 3: " + name + " is no opcode");
  }
  expect_pickle_refused("\x80\x06N.", "PROTO names protocol 6, expected at most 5");
}

TEST(PickleDamage, EndsAtItsStop) {
  EXPECT_EQ(evaluate("\x80\x02N.trailing").byte_count(), 4U);
}

TEST(PickleDamage, IsAtMost64MiBLong) {
  const auto length = std::size_t{64} << 20;
  expect_pickle_refused(
      "X" + little(length, 4) + std::string(length, 'x'), "goes beyond the 67108864");
}

}  // namespace
}  // namespace vitrine
