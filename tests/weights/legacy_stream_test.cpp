#include <gtest/gtest.h>

#include <string>

#include "hostile_pth.h"
#include "pth_assembler.h"

namespace vitrine {
namespace {

using pickle::dict;
using pickle::global;
using pickle::integer;
using pickle::legacy_storage;
using pickle::list;
using pickle::little;
using pickle::numbers;
using pickle::tensor;
using pickle::text;
using pickle::tuple;
using pickle::whole;

const std::string kMagic = whole("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19");

std::string floats(const std::string& key, std::int64_t numel, const std::string& view = "N") {
  return tensor(
      legacy_storage("FloatStorage", key, numel, view), 0, numbers({numel}), numbers({1}));
}

/// A number of elements and their bytes.
std::string elements(std::uint64_t count, const std::string& bytes) {
  return little(count, 8) + bytes;
}

std::string two_storages() {
  return dict({text("a"), floats("20", 1), text("b"), floats("10", 2)});
}

TEST(LegacyStream, HoldsStoragesInTheOrderOfItsKeys) {
  const auto bytes =
      legacy_stream(two_storages(), {"10", "20"}, elements(2, "abcdefgh") + elements(1, "ijkl"));
  const auto file = open_bytes(bytes);
  const auto tree = find_state_dict(file);
  ASSERT_EQ(tree.tensors.size(), 2U);
  EXPECT_EQ(read_tensor_bytes(file, tree.tensors[0].tensor), "ijkl");
  EXPECT_EQ(read_tensor_bytes(file, tree.tensors[1].tensor), "abcdefgh");
}

TEST(LegacyStream, MayHoldAViewOfAStorageForAStorage) {
  const auto view = [](std::int64_t offset, std::int64_t numel) {
    return tuple({text("99"), integer(offset), integer(numel)});
  };
  const auto of = [&](const std::string& seen, std::int64_t size) {
    const auto value =
        tensor(legacy_storage("FloatStorage", "10", 3, seen), 0, numbers({size}), numbers({1}));
    return legacy_stream(dict({text("a"), value}), {"10"}, elements(3, "abcdefghijkl"));
  };
  const auto bytes = of(view(1, 2), 2);
  const auto file = open_bytes(bytes);
  EXPECT_EQ(read_tensor_bytes(file, find_state_dict(file).tensors.at(0).tensor), "efghijkl");
  expect_pth_refused(of(view(1, 2), 3), "its last element is number 2 of its storage, which has 2");
  expect_pth_refused(of(view(2, 2), 1), "a view of storage '10' goes from 2 for 2 elements");
  expect_pth_refused(of(view(-1, 2), 1), "the offset into a view of a storage is the int -1");
  expect_pth_refused(of(text("x"), 1), "the view of a storage is the string 'x'");
}

TEST(LegacyStream, MayNameClassesWithTheirSource) {
  const auto module =
      tuple({text("module"), global("m", "Net"), text("net.py"), text("class Net")}) + "Q";
  const auto bytes = legacy_stream(
      dict({text("net"), module + ")\x81", text("a"), floats("10", 1)}),
      {"10"},
      elements(1, "abcd"));
  EXPECT_EQ(find_state_dict(open_bytes(bytes)).tensors.size(), 1U);
  const auto storage =
      legacy_stream(dict({text("a"), tensor(module, 0, numbers({1}), numbers({1}))}), {}, "");
  expect_pth_refused(storage, "its storage is a persistent value");
}

TEST(LegacyStream, BeginsWithItsMagicNumber) {
  expect_pth_refused(whole("K\1"), "is a Python pickle, but none that torch.save wrote");
  expect_pth_refused(
      whole("\x8A\x0A\x6D\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"), "none that torch.save");
}

TEST(LegacyStream, HasAKnownProtocolAndByteOrder) {
  expect_pth_refused(kMagic + whole(integer(1000)), "its protocol is the int 1000, expected 1001");
  const auto start = kMagic + whole(integer(1001));
  expect_pth_refused(
      start + whole(dict({text("little_endian"), "\x89"})), "by a big-endian machine");
  expect_pth_refused(start + whole("N"), "does not say by which");
}

TEST(LegacyStream, NamesEachOfItsStoragesOnce) {
  const auto data = elements(2, "abcdefgh") + elements(1, "ijkl");
  expect_pth_refused(
      legacy_stream(two_storages(), {"10"}, data), "storage '20' is not among its storages' keys");
  expect_pth_refused(
      legacy_stream(two_storages(), {"10", "10"}, data), "hold the string '10' twice");
  expect_pth_refused(
      legacy_stream(two_storages(), {"10", "20", "30"}, data),
      "hold the string '30', which its object does not name");
  const auto start = kMagic + whole(integer(1001)) + whole(dict({text("little_endian"), "\x88"}));
  expect_pth_refused(
      start + whole("}") + whole("}"), "its storages' keys are a dict of 0, expected a list");
  expect_pth_refused(
      start + whole("}") + whole(list({"N"})), "hold None, which its object does not name");
}

TEST(LegacyStream, HasAsManyElementsAsItsPickleSays) {
  const auto a = dict({text("a"), floats("10", 2)});
  expect_pth_refused(
      legacy_stream(a, {"10"}, elements(3, "abcdefgh")),
      "storage '10' is said to have 2 elements, but 3 where its bytes are");
  expect_pth_refused(
      legacy_stream(a, {"10"}, elements(~std::uint64_t{0}, "abcdefgh")),
      "but 18446744073709551615");
}

TEST(LegacyStream, EndsWithItsLastStorage) {
  const auto a = dict({text("a"), floats("10", 2)});
  expect_pth_refused(
      legacy_stream(a, {"10"}, elements(2, "abcdefghi")), "goes on for 1 bytes after the last");
  expect_pth_refused(legacy_stream(a, {"10"}, elements(2, "abcdefg")), "ends within storage '10'");
  expect_pth_refused(legacy_stream(a, {"10"}, "abc"), "ends within storage '10'");
  const auto large = dict({text("a"), floats("10", std::int64_t{1} << 59)});
  expect_pth_refused(
      legacy_stream(large, {"10"}, elements(2, "abcdefgh")), "ends within storage '10'");
}

TEST(LegacyStream, NamesThePickleThatIsDamaged) {
  const auto start = kMagic + whole(integer(1001));
  expect_pth_refused(kMagic + "\x80\x02i", "pickle 2 of 5, byte 2: INST is no opcode");
  expect_pth_refused(
      start + whole(dict({text("little_endian"), "\x88"})) + "\x80\x02Nb.", "pickle 4 of 5");
  expect_pth_refused(start, "pickle 3 of 5 ends at its byte 0 without a STOP");
}

TEST(LegacyStream, IdentifiesStoragesBySixElements) {
  const auto five = pickle::storage("FloatStorage", "10", 2);
  expect_pth_refused(
      legacy_stream(
          dict({text("a"), tensor(five, 0, numbers({2}), numbers({1}))}),
          {"10"},
          elements(2, "abcdefgh")),
      "has 5 elements, expected 6");
}

}  // namespace
}  // namespace vitrine
