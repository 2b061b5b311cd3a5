#include "vitrine/weights/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/file.h"

#include "hostile_file.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

using std::string_literals::operator""s;

/// `tensors` after a way through a file.
Safetensors round_trip(const StateDict& tensors, const Metadata& metadata = {}) {
  const TemporaryFolder folder;
  write_safetensors(folder / "t.safetensors", tensors, metadata);
  return read_safetensors(folder / "t.safetensors");
}

StateDict one(const std::string& name, const torch::Tensor& tensor) {
  StateDict tensors;
  tensors.insert(name, tensor);
  return tensors;
}

void expect_same(const torch::Tensor& read, const torch::Tensor& written) {
  EXPECT_EQ(read.scalar_type(), written.scalar_type());
  EXPECT_EQ(read.sizes(), written.sizes());
  EXPECT_TRUE(torch::equal(read, written));
}

TEST(Safetensors, KeepsEveryDtype) {
  torch::manual_seed(0);
  for (const auto type :
       {torch::kFloat,
        torch::kHalf,
        torch::kBFloat16,
        torch::kDouble,
        torch::kLong,
        torch::kInt,
        torch::kShort,
        torch::kChar,
        torch::kByte,
        torch::kBool}) {
    const auto tensor = torch::randint(0, 100, {3, 5}).to(type);
    expect_same(round_trip(one("t", tensor)).tensors["t"], tensor);
  }
}

TEST(Safetensors, KeepsScalarsAndEmptyTensors) {
  StateDict tensors;
  tensors.insert("scalar", torch::tensor(7));
  tensors.insert("empty", torch::zeros({0}));
  tensors.insert("empty3", torch::zeros({3, 0, 2}, torch::kHalf));
  tensors.insert("last", torch::ones({2}, torch::kByte));
  const auto read = round_trip(tensors).tensors;
  ASSERT_EQ(read.size(), 4U);
  for (const auto& item : tensors) {
    expect_same(read[item.key()], item.value());
  }
}

TEST(Safetensors, WritesAnyStridesAsTheValuesAre) {
  const auto base = torch::arange(24, torch::kFloat).view({4, 6});
  StateDict tensors;
  tensors.insert("transposed", base.t());
  tensors.insert("slice", base.slice(1, 1, 6, 2));
  tensors.insert("expanded", base.select(0, 1).expand({3, 6}));
  tensors.insert(
      "channels_last", base.view({1, 2, 3, 4}).contiguous(torch::MemoryFormat::ChannelsLast));
  tensors.insert("parameter", base.clone().set_requires_grad(true));
  const auto read = round_trip(tensors).tensors;
  for (const auto& item : tensors) {
    expect_same(read[item.key()], item.value().detach());
    EXPECT_FALSE(read[item.key()].requires_grad());
  }
}

TEST(Safetensors, KeepsNamesAndMetadataOfAnyText) {
  StateDict tensors;
  const std::vector<std::string> names = {
      "", "plain", "a \"quoted\" \\ name", "line\nbreak\ttab", "nul\0inside"s, "é 世界 🎉", "\x7F"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    tensors.insert(names[i], torch::tensor(static_cast<int64_t>(i)));
  }
  Metadata metadata{{"format", "pt"}, {"", "empty name"}, {"é\n\"", "世界\0"s}};
  const auto read = round_trip(tensors, metadata);
  EXPECT_EQ(read.metadata, metadata);
  ASSERT_EQ(read.tensors.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(read.tensors[names[i]].item<int64_t>(), static_cast<int64_t>(i));
  }
}

TEST(Safetensors, AlignsDataAndSortsWideTypesFirst) {
  StateDict tensors;
  tensors.insert("c", torch::ones({3}, torch::kByte));
  tensors.insert("b", torch::ones({3}, torch::kFloat));
  tensors.insert("a", torch::ones({3}, torch::kFloat));
  tensors.insert("d", torch::ones({1}, torch::kDouble));
  const TemporaryFolder folder;
  write_safetensors(folder / "t.safetensors", tensors);
  const auto bytes = read_file(folder / "t.safetensors");
  EXPECT_EQ(bytes[8], '{');
  const std::size_t header = bytes[0] | bytes[1] << 8;
  EXPECT_EQ(header % 8, 0U);
  EXPECT_EQ(bytes.size(), 8 + header + 8 + 12 + 12 + 3);
  std::string names;
  for (const auto& item : read_safetensors(folder / "t.safetensors").tensors) {
    names += item.key();
  }
  EXPECT_EQ(names, "dabc");
}

TEST(Safetensors, RefusesToWriteWhatTheFormatDoesNotHave) {
  const TemporaryFolder folder;
  const auto path = folder / "t.safetensors";
  const auto write = [&](const std::string& name, const torch::Tensor& tensor) {
    write_safetensors(path, one(name, tensor));
  };
  EXPECT_THROW(write("t", torch::zeros({2}, torch::kComplexFloat)), c10::ValueError);
  EXPECT_THROW(write("t", torch::zeros({2, 2}).to_sparse()), c10::ValueError);
  EXPECT_THROW(write("t", torch::Tensor()), c10::ValueError);
  EXPECT_THROW(write("__metadata__", torch::zeros({2})), c10::ValueError);
  EXPECT_THROW(write("\xFF", torch::zeros({2})), c10::ValueError);
  EXPECT_THROW(write_safetensors(path, StateDict(), {{"a", "\xFF"}}), c10::ValueError);
  EXPECT_FALSE(std::filesystem::exists(path)) << "a refused file must not appear";
}

TEST(Safetensors, LeavesTheOldFileWhereTheNewOneCannotBeWritten) {
  const TemporaryFolder folder;
  const auto path = folder / "no/such/folder.safetensors";
  expect_refusal(
      [&] { write_safetensors(path, StateDict()); },
      path + ": ",
      {"cannot write: No such file or directory"});
}

TEST(Safetensors, ReadsDataAtAnyAlignment) {
  // An odd header length, and a byte before the floats.
  auto json =
      "{" + entry("u", "U8", "[1]", "[0,1]") + "," + entry("f", "F32", "[2]", "[1,9]") + "}";
  json += json.size() % 2 == 0 ? " " : "";
  auto bytes = file_bytes(json);
  const float values[] = {1.5F, -2.0F};
  bytes += '\x07';
  bytes.append(reinterpret_cast<const char*>(values), sizeof(values));
  const auto file = read_bytes(bytes);
  EXPECT_EQ(file.tensors["u"].item<int64_t>(), 7);
  expect_same(file.tensors["f"], torch::tensor({1.5F, -2.0F}));
}

TEST(Safetensors, TakesAHeaderInAnotherOrderThanTheData) {
  auto bytes = file_bytes(
      "{" + entry("b", "U8", "[1]", "[2,3]") + "," + entry("e", "U8", "[0]", "[2,2]") + "," +
      entry("a", "U8", "[2]", "[0,2]") + "}");
  const auto file = read_bytes(bytes + "\x01\x02\x03");
  EXPECT_EQ(file.tensors["b"].item<int64_t>(), 3);
  expect_same(file.tensors["a"], torch::tensor({1, 2}, torch::kByte));
  EXPECT_EQ(file.tensors[0].key(), "a");
}

TEST(Safetensors, TurnsAnyByteButZeroIntoTrue) {
  const auto bytes =
      file_bytes("{" + entry("b", "BOOL", "[4]", "[0,4]") + "}") + "\x00\x01\x02\xFF"s;
  const auto read = read_bytes(bytes).tensors["b"];
  expect_same(read, torch::tensor({false, true, true, true}));
  EXPECT_EQ(read.view(torch::kByte).sum().item<int64_t>(), 3);
}

TEST(Safetensors, KeepsNanAndInfinity) {
  const auto limits = std::numeric_limits<float>();
  const auto read =
      round_trip(one("t", torch::tensor({NAN, limits.infinity(), -0.0F}))).tensors["t"];
  EXPECT_TRUE(std::isnan(read[0].item<float>()));
  EXPECT_TRUE(std::isinf(read[1].item<float>()));
  EXPECT_TRUE(std::signbit(read[2].item<float>()));
}

TEST(Safetensors, NamesADtypeThatItDoesNotRead) {
  for (const auto& [dtype, bytes] : std::vector<std::pair<std::string, int>>{
           {"F8_E4M3", 8},
           {"F8_E5M2", 8},
           {"U16", 16},
           {"U64", 64},
           {"C64", 64},
           {"F4", 4},
           {"F8_E8M0", 8},
           {"F8_E4M3FNUZ", 8},
           {"F8_E5M2FNUZ", 8},
           {"U32", 32},
           {"F6_E2M3", 6},
           {"F6_E3M2", 6}}) {
    const auto json = "{" + entry("t", dtype, "[8]", "[0," + std::to_string(bytes) + "]") + "}";
    expect_header_refused(json, "tensor 't' has dtype " + dtype, static_cast<std::size_t>(bytes));
  }
}

TEST(Safetensors, ReadsMetadataWithoutTheTensors) {
  const TemporaryFolder folder;
  write_bytes(
      folder / "m.safetensors",
      file_bytes(R"({"__metadata__":{"a":"b"},)" + entry("t", "F8_E4M3", "[1]", "[0,1]") + "}", 1));
  EXPECT_EQ(read_safetensors_metadata(folder / "m.safetensors"), (Metadata{{"a", "b"}}));
}

TEST(Safetensors, ReadsTensorsOfManyPieces) {
  const auto tensor = torch::arange(int64_t{5} << 20, torch::kInt);  // 20 MiB
  expect_same(round_trip(one("t", tensor)).tensors["t"], tensor);
}

// tests/golden/make_safetensors_golden.py wrote the file, with the format's own library.
TEST(Safetensors, ReadsAFileOfTheReferenceLibrary) {
  const auto file = read_safetensors(VITRINE_TEST_DATA "/golden/reference.safetensors");
  EXPECT_EQ(file.metadata, (Metadata{{"format", "pt"}, {"note", "é\n"}}));
  ASSERT_EQ(file.tensors.size(), 13U);
  const auto& t = file.tensors;
  const auto inf = std::numeric_limits<float>::infinity();
  expect_same(t["f32"], torch::tensor({0.5F, -1.25F, 3.0F, 1e-30F, inf, -0.0F}).view({2, 3}));
  expect_same(t["f16"], torch::tensor({0.5, -2.0, 65504.0}, torch::kHalf));
  expect_same(t["bf16"], torch::tensor({1.0, -3.0, std::pow(2.0, 100)}, torch::kBFloat16));
  expect_same(t["f64"], torch::tensor({0.1, 1e300}, torch::kDouble));
  const auto limits = std::numeric_limits<int64_t>();
  expect_same(t["i64"], torch::tensor({limits.min(), limits.max()}));
  expect_same(t["i32"], torch::tensor({-2147483648.0, 7.0}, torch::kInt));
  expect_same(t["i16"], torch::tensor({-32768, 7}, torch::kShort));
  expect_same(t["i8"], torch::tensor({-128, 7}, torch::kChar));
  expect_same(t["u8"], torch::tensor({255, 0, 7}, torch::kByte));
  expect_same(t["bool"], torch::tensor({true, false, true}));
  expect_same(t["scalar"], torch::tensor(42.0F));
  expect_same(t["empty"], torch::zeros({3, 0, 2}));
  expect_same(t["odd \"name\"\né世"], torch::tensor({1, 2}, torch::kByte));
}

}  // namespace
}  // namespace vitrine
