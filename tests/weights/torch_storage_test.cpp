#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "hostile_value.h"
#include "pth_assembler.h"

namespace vitrine {
namespace {

using pickle::call;
using pickle::global;
using pickle::integer;
using pickle::numbers;
using pickle::storage;
using pickle::tensor;
using pickle::text;
using pickle::tuple;
using pickle::vector;

TEST(TorchStorage, IsIdentifiedByATuple) {
  const auto refuse = [](const std::string& identity, const std::string& cause) {
    expect_value_refused(tensor(identity + "Q", 0, numbers({1}), numbers({1})), cause);
  };
  refuse(text("0"), "a persistent id is the string '0', expected a tuple");
  refuse(")", "a persistent id begins with '', expected 'storage'");
  refuse(tuple({text("module"), "N", "N", "N"}), "begins with 'module', expected 'storage'");
  refuse(tuple({text("storage")}), "has 1 elements, expected 5");
  refuse(
      tuple(
          {text("storage"),
           global("torch", "FloatStorage"),
           text("0"),
           text("cpu"),
           integer(8),
           "N"}),
      "has 6 elements, expected 5");
  refuse(
      tuple({text("storage"), global("torch", "FloatStorage"), text("0"), "N", integer(8)}),
      "the location of a storage is None");
}

TEST(TorchStorage, HasAKnownType) {
  const auto refuse = [](const std::string& type) {
    const auto identity = tuple({text("storage"), type, text("0"), text("cpu"), integer(8)}) + "Q";
    expect_value_refused(
        tensor(identity, 0, numbers({1}), numbers({1})), "which is none that is known");
  };
  refuse(global("torch", "NoStorage"));
  refuse(global("os", "FloatStorage"));
  refuse(text("FloatStorage"));
}

TEST(TorchStorage, HasAKeyOfDigitsThatIsInTheArchive) {
  for (const auto* key : {"", "a", "-1", "../0", "0/", "1.0", "000000000000000000000"}) {
    expect_value_refused(vector(key, 8), "expected a string of digits");
  }
  expect_value_refused(
      vector("1", 8), "storage '1' is named by data.pkl, but is not in the archive");
  expect_value_refused(
      vector("00", 8), "storage '00' is named by data.pkl, but is not in the archive");
}

TEST(TorchStorage, HasAsManyBytesAsItsElementsNeed) {
  expect_value_refused(vector("0", 7), "has 32 bytes, but its 7 elements of FloatStorage need 28");
  expect_value_refused(vector("0", 9), "has 32 bytes, but its 9 elements of FloatStorage need 36");
  for (const auto numel : {std::int64_t{-1}, (std::int64_t{1} << 62) + 1, kLargest}) {
    expect_value_refused(vector("0", numel), "expected a whole number from 0 to 2^62");
  }
  expect_value_refused(
      vector("0", std::int64_t{1} << 62), "the size in bytes of storage '0' overflows");
  const auto real =
      tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), text("8")});
  expect_value_refused(
      tensor(real + "Q", 0, numbers({1}), numbers({1})), "the size of a storage is the string '8'");
  const auto sized = [](const std::string& size) {
    return tensor(
        tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), size}) +
            "Q",
        0,
        numbers({1}),
        numbers({1}));
  };
  expect_value_refused(sized("\x88"), "the size of a storage is True, expected a whole number");
  const std::string nine_bytes = "\x8A\x09" + std::string(8, '\0') + "\x01";
  expect_value_refused(sized(nine_bytes), "the size of a storage is ");
}

TEST(TorchStorage, IsReadWhereverItWasSaved) {
  const auto gpu = tuple(
                       {text("storage"),
                        global("torch", "FloatStorage"),
                        text("0"),
                        text("cuda:0"),
                        integer(8)}) +
                   "Q";
  EXPECT_EQ(tensor_of(tensor(gpu, 0, numbers({8}), numbers({1}))).numel(), 8U);
}

TEST(TorchStorage, CountsBytesWhereItIsUntyped) {
  const auto untyped = tuple(
                           {text("storage"),
                            global("torch.storage", "UntypedStorage"),
                            text("0"),
                            text("cpu"),
                            integer(32)}) +
                       "Q";
  const auto value = call(
      "torch._utils",
      "_rebuild_tensor_v3",
      {untyped, integer(1), numbers({3}), numbers({2}), "\x89", "N", global("torch", "uint32")});
  const auto found = tensor_of(value);
  EXPECT_EQ(found.dtype, detail::Dtype::U32);
  EXPECT_EQ(found.offset, 1U);
  const auto one_byte = tuple(
                            {text("storage"),
                             global("torch.storage", "UntypedStorage"),
                             text("0"),
                             text("cpu"),
                             integer(31)}) +
                        "Q";
  expect_value_refused(
      call(
          "torch._utils",
          "_rebuild_tensor_v3",
          {one_byte,
           integer(0),
           numbers({1}),
           numbers({1}),
           "\x89",
           "N",
           global("torch", "uint8")}),
      "has 32 bytes, but its 31 elements of UntypedStorage need 31");
  const auto outside = call(
      "torch._utils",
      "_rebuild_tensor_v3",
      {untyped, integer(2), numbers({4}), numbers({2}), "\x89", "N", global("torch", "uint32")});
  expect_value_refused(
      outside, "its last element is number 8 of its storage, which has 8 elements");
}

TEST(TorchStorage, HasOneTypeAndSize) {
  expect_value_refused(
      tuple({vector("0", 8), tensor(storage("IntStorage", "0", 8), 0, numbers({1}), numbers({1}))}),
      "storage '0' is 8 elements of FloatStorage in one place and 8 of IntStorage in another");
  expect_value_refused(tuple({vector("0", 8), vector("0", 4)}), "and 4 of FloatStorage in another");
}

}  // namespace
}  // namespace vitrine
