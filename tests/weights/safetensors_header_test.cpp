#include <gtest/gtest.h>

#include <string>

#include "hostile_file.h"

namespace vitrine {
namespace {

using std::string_literals::operator""s;

// "a", a float32 of two elements: a sound entry to put beside an unsound one.
const std::string kA = entry("a", "F32", "[2]", "[0,8]");

TEST(SafetensorsHeader, IsAtLeastEightBytesLong) {
  for (std::size_t size = 1; size < 8; ++size) {
    expect_refused(std::string(size, '\0'), "header too small");
  }
  expect_refused("", "is empty");
}

TEST(SafetensorsHeader, IsAtMost100MillionBytesLong) {
  const auto body = "{}" + std::string(100, ' ');
  expect_refused(length_prefix(100'000'001) + body, "header too large");
  expect_refused(length_prefix(std::uint64_t{1} << 63) + body, "header too large");
  expect_refused(length_prefix(~std::uint64_t{0}) + body, "header too large");
  expect_refused(length_prefix(~std::uint64_t{0} - 7) + body, "header too large");
}

TEST(SafetensorsHeader, IsWithinTheFile) {
  expect_refused(length_prefix(3) + "{}", "invalid header length 3");
  expect_refused(length_prefix(100'000'000) + "{}", "invalid header length 100000000");
}

TEST(SafetensorsHeader, IsAJsonObject) {
  expect_refused(length_prefix(0), "not valid JSON");
  expect_header_refused("[]", "the header is a list");
  expect_header_refused("null", "the header is null");
  expect_header_refused("\"a\"", "the header is the string 'a'");
  expect_header_refused("7", "the header is 7");
  expect_header_refused("{", "not valid JSON");
}

TEST(SafetensorsHeader, IsPlainUtf8) {
  expect_header_refused("{\"\xFF\":1}", "not valid JSON");
  expect_header_refused("{\"\xC0\xAF\":1}", "not valid JSON");
  expect_header_refused("{\"\xED\xA0\x80\":1}", "not valid JSON");
  expect_header_refused("\xEF\xBB\xBF{}", "byte order mark");
  expect_header_refused("\0{}"s, "NUL at its byte 0");
  expect_header_refused("{}\0"s, "NUL at its byte 2");
  expect_header_refused("{}x", "not valid JSON");
  expect_header_refused("{}{}", "not valid JSON");
}

TEST(SafetensorsHeader, MayHaveWhitespaceAround) {
  for (const auto* json : {" {}", "{} ", "\t\r\n {} \t\r\n"}) {
    EXPECT_EQ(read_bytes(file_bytes(json)).tensors.size(), 0U);
  }
}

TEST(SafetensorsHeader, WithoutTensorsLeavesNoDataUncovered) {
  EXPECT_EQ(read_bytes(file_bytes("{}")).tensors.size(), 0U);
  expect_header_refused("{}", "not fully covered", 1);
}

TEST(SafetensorsHeader, IsStrictJson) {
  expect_header_refused("{" + kA + ",}", "not valid JSON", 8);
  expect_header_refused("{/**/" + kA + "}", "not valid JSON", 8);
  expect_header_refused("{//\n" + kA + "}", "not valid JSON", 8);
  expect_header_refused("{'a':1}", "not valid JSON");
  expect_header_refused("{" + entry("a", "F32", "[NaN]", "[0,8]") + "}", "not valid JSON", 8);
  expect_header_refused("{" + entry("a", "F32", "[02]", "[0,8]") + "}", "not valid JSON", 8);
  expect_header_refused("{" + entry("\\ud800", "F32", "[2]", "[0,8]") + "}", "not valid JSON", 8);
  expect_header_refused("{" + entry("\\udc00x", "F32", "[2]", "[0,8]") + "}", "not valid JSON", 8);
}

TEST(SafetensorsHeader, NestsAtMost127Levels) {
  const auto nested = [](std::size_t levels) {
    return "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":" +
           std::string(levels, '[') + std::string(levels, ']') + "}}";
  };
  EXPECT_EQ(read_bytes(file_bytes(nested(125))).tensors.size(), 1U);
  expect_header_refused(nested(126), "recursion limit");
  expect_header_refused(std::string(1'000'000, '['), "the header is a list");
  expect_header_refused("{\"a\":{\"x\":" + std::string(1'000'000, '['), "recursion limit");
  std::string objects;
  for (int i = 0; i < 200; ++i) {
    objects += "{\"x\":";
  }
  expect_header_refused("{\"a\":{\"x\":" + objects, "recursion limit");
}

TEST(SafetensorsHeader, NamesDtypeShapeAndOffsetsOfEachTensor) {
  expect_header_refused(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "'a': has no dtype", 8);
  expect_header_refused(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", "'a': has no shape", 8);
  expect_header_refused(R"({"a":{"dtype":"F32","shape":[2]}})", "'a': has no data_offsets", 8);
  expect_header_refused("{\"a\":{}}", "'a': has no dtype");
}

TEST(SafetensorsHeader, NamesEachFieldOnce) {
  expect_header_refused(
      R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      "duplicate field dtype",
      8);
  expect_header_refused(
      R"({"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}})",
      "duplicate field shape",
      8);
  expect_header_refused(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,8]}})",
      "duplicate field data_offsets",
      8);
}

TEST(SafetensorsHeader, KnowsItsDtypesByExactName) {
  expect_header_refused("{" + entry("a", "f32", "[2]", "[0,8]") + "}", "unknown dtype 'f32'", 8);
  expect_header_refused("{" + entry("a", "F128", "[2]", "[0,8]") + "}", "unknown dtype 'F128'", 8);
  expect_header_refused("{" + entry("a", "", "[2]", "[0,8]") + "}", "unknown dtype ''", 8);
  expect_header_refused(R"({"a":{"dtype":3,"shape":[2],"data_offsets":[0,8]}})", "dtype is 3", 8);
}

TEST(SafetensorsHeader, MayHaveUnknownFields) {
  const auto file = read_bytes(file_bytes(
      R"({"a":{"x":null,"dtype":"F32","y":[1,{"shape":-1.5}],"shape":[2],"z":{"dtype":[]},)"
      R"("data_offsets":[0,8],"w":"F8","v":true}})",
      8));
  EXPECT_EQ(file.tensors["a"].sizes(), torch::IntArrayRef({2}));
}

TEST(SafetensorsHeader, HasEntriesThatAreObjects) {
  expect_header_refused(
      R"({"a":["F32",[2],[0,8]]})", "tensor 'a' is a list, expected an object", 8);
  expect_header_refused(R"({"a":1})", "tensor 'a' is 1");
  expect_header_refused(R"({"a":null})", "tensor 'a' is null");
}

TEST(SafetensorsHeader, HasWholeNumbersForDimensions) {
  for (const auto* bad :
       {"-1",
        "-0",
        "2.0",
        "8e0",
        "\"2\"",
        "18446744073709551616",
        "null",
        "true",
        "[2]",
        "{}",
        "9223372036854775808",
        "18446744073709551615"}) {
    const auto shape = "[" + std::string(bad) + "]";
    expect_header_refused("{" + entry("a", "F32", shape, "[0,8]") + "}", "'a': a dimension is ", 8);
  }
  expect_header_refused("{" + entry("a", "F32", "2", "[0,8]") + "}", "'a': shape is 2", 8);
  expect_header_refused(
      "{" + entry("a", "F32", "[0,18446744073709551615]", "[0,0]") + "}", "a dimension is ");
}

TEST(SafetensorsHeader, HasWholeNumbersForOffsets) {
  for (const auto* bad : {"-1", "-0", "8.0", "8e0", "\"8\"", "18446744073709551616", "null"}) {
    const auto offsets = "[0," + std::string(bad) + "]";
    expect_header_refused("{" + entry("a", "F32", "[2]", offsets) + "}", "'a': an offset is ", 8);
  }
}

TEST(SafetensorsHeader, HasTwoOffsetsInOrder) {
  expect_header_refused("{" + entry("a", "F32", "[2]", "[8]") + "}", "has 1 elements", 8);
  expect_header_refused("{" + entry("a", "F32", "[2]", "[0,8,8]") + "}", "more than 2", 8);
  expect_header_refused("{" + entry("a", "F32", "[2]", "[8,0]") + "}", "after their end", 8);
}

TEST(SafetensorsHeader, LeavesNoGapAndNoOverlap) {
  const auto with = [](const std::string& offsets) {
    return "{" + kA + "," + entry("b", "F32", "[2]", offsets) + "}";
  };
  expect_header_refused("{" + entry("a", "F32", "[2]", "[4,12]") + "}", "invalid offset", 12);
  expect_header_refused(
      with("[12,20]"), "tensor 'b' begins at byte 12 of the data, expected 8", 20);
  expect_header_refused(with("[4,12]"), "overlaps", 12);
  expect_header_refused(with("[0,8]"), "overlaps", 8);
}

TEST(SafetensorsHeader, HasEmptyTensorsAtTheirPlacesToo) {
  const auto with = [](const std::string& offsets) {
    return "{" + kA + "," + entry("b", "F32", "[0]", offsets) + "}";
  };
  expect_header_refused(with("[4,4]"), "overlaps", 8);
  expect_header_refused(with("[16,16]"), "tensor 'b' begins at byte 16 of the data, expected 8", 8);
}

TEST(SafetensorsHeader, RefusesManyNamesForOneBlock) {
  std::string json = "{";
  for (int i = 0; i < 15'000; ++i) {
    json += entry(std::to_string(i), "F32", "[1000]", "[0,4000]") + ",";
  }
  json.back() = '}';
  expect_header_refused(json, "overlaps", 4000);
}

TEST(SafetensorsHeader, HasAsManyBytesAsShapeAndDtypeNeed) {
  expect_header_refused(
      "{" + entry("a", "F32", "[3]", "[0,8]") + "}",
      "hold 8 bytes, but its shape and dtype need 12",
      8);
  expect_header_refused("{" + entry("a", "F64", "[2]", "[0,8]") + "}", "need 16", 8);
  expect_header_refused("{" + entry("a", "F32", "[]", "[0,0]") + "}", "need 4");
}

TEST(SafetensorsHeader, RefusesSizesThatOverflow) {
  const auto refuse = [](const std::string& dtype, const std::string& shape) {
    expect_header_refused("{" + entry("a", dtype, shape, "[0,0]") + "}", "overflows");
  };
  refuse("F32", "[4611686018427387904]");
  refuse("U8", "[4294967296,4294967296]");
  refuse("U8", "[3,9223372036854775807]");
  refuse("U8", "[9223372036854775807,9223372036854775807,0]");
  refuse("U8", "[0,9223372036854775807,9223372036854775807]");  // as strides, it would overflow
  // Dimensions of more than 63 bits have a message of their own.
  expect_header_refused(
      "{" + entry("a", "U8", "[2,18446744073709551614]", "[0,0]") + "}", "a dimension is ");
  expect_header_refused(
      "{" + entry("a", "U8", "[18446744073709551615,18446744073709551615,0]", "[0,0]") + "}",
      "a dimension is ");
}

TEST(SafetensorsHeader, HasAtMost64Dimensions) {
  std::string ones = "1";
  for (int i = 1; i < 64; ++i) {
    ones += ",1";
  }
  const auto file =
      read_bytes(file_bytes("{" + entry("a", "U8", "[" + ones + "]", "[0,1]") + "}", 1));
  EXPECT_EQ(file.tensors["a"].dim(), 64);
  expect_header_refused(
      "{" + entry("a", "U8", "[" + ones + ",1]", "[0,1]") + "}", "more than 64 dimensions", 1);
}

TEST(SafetensorsHeader, HasWholeBytesForTypesOfFewBits) {
  expect_header_refused("{" + entry("a", "F4", "[3]", "[0,2]") + "}", "do not fill whole bytes", 2);
  expect_header_refused("{" + entry("a", "F6_E2M3", "[3]", "[0,2]") + "}", "do not fill", 2);
}

TEST(SafetensorsHeader, CoversTheDataToTheLastByte) {
  expect_header_refused("{" + kA + "}", "not fully covered: the tensors end at byte 8 of 9", 9);
  expect_header_refused(
      "{" + kA + "}", "cut short: its tensors need 8 bytes of data, but it has 7", 7);
  expect_header_refused("{" + kA + "}", "cut short", 0);
}

TEST(SafetensorsHeader, HasMetadataOfStringsOrNone) {
  EXPECT_TRUE(read_bytes(file_bytes("{\"__metadata__\":null}")).metadata.empty());
  EXPECT_TRUE(read_bytes(file_bytes("{\"__metadata__\":{}}")).metadata.empty());
  const auto file = read_bytes(file_bytes("{\"__metadata__\":{\"format\":\"pt\",\"\":\"\"}}"));
  EXPECT_EQ(file.metadata, (Metadata{{"format", "pt"}, {"", ""}}));
  expect_header_refused(R"({"__metadata__":{},"__metadata__":{}})", "duplicate __metadata__");
  expect_header_refused(R"({"__metadata__":null,"__metadata__":{}})", "duplicate __metadata__");
  expect_header_refused(R"({"__metadata__":[]})", "__metadata__ is a list");
  expect_header_refused(
      "{" + entry("__metadata__", "F32", "[2]", "[0,8]") + "}", "metadata 'shape' is a list", 8);
  expect_header_refused(R"({"__metadata__":{"a":1}})", "metadata 'a' is 1");
  expect_header_refused(R"({"__metadata__":{"a":null}})", "metadata 'a' is null");
  expect_header_refused(R"({"__metadata__":{"a":{}}})", "metadata 'a' is an object");
  expect_header_refused(R"({"__metadata__":{"a":"1","a":"2"}})", "duplicate metadata 'a'");
}

TEST(SafetensorsHeader, NamesEachTensorOnce) {
  const auto b = entry("b", "F32", "[2]", "[8,16]");
  expect_header_refused(
      "{" + kA + "," + b + "," + entry("a", "F32", "[2]", "[16,24]") + "}",
      "duplicate tensor 'a'",
      24);
  expect_header_refused("{" + kA + "," + kA + "}", "duplicate tensor 'a'", 8);
  expect_header_refused(
      "{" + kA + "," + entry("\\u0061", "F32", "[2]", "[8,16]") + "}", "duplicate tensor 'a'", 16);
}

TEST(SafetensorsHeader, IsRefusedCheaplyHoweverManyEntriesItHas) {
  std::string empty_tensors = "{";
  std::string metadata = "{\"__metadata__\":{";
  std::string dimensions = "1";
  for (int i = 0; empty_tensors.size() < 1'000'000; ++i) {
    empty_tensors += entry(std::to_string(i), "U8", "[0]", "[0,0]") + ",";
    metadata += "\"" + std::to_string(i) + "\":\"\",";
    dimensions += ",1";
  }
  expect_header_refused(empty_tensors + kA + "}", "cut short");
  expect_header_refused(metadata + "\"x\":1}}", "metadata 'x' is 1");
  expect_header_refused(
      "{" + entry("a", "U8", "[" + dimensions + "]", "[0,1]") + "}", "dimensions", 1);
}

TEST(SafetensorsHeader, IsQuotedInMessagesWithoutControlCharacters) {
  expect_header_refused(
      "{" + entry("\\u001b[31m\\n", "F32", "[3]", "[0,8]") + "}", "'\\x1b[31m\\x0a'", 8);
  expect_header_refused(
      "{" + entry(std::string(100'000, 'a'), "F32", "[3]", "[0,8]") + "}", "aaa...'", 8);
}

}  // namespace
}  // namespace vitrine
