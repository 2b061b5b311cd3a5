#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hostile_pth.h"
#include "hostile_value.h"
#include "pth_assembler.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

using pickle::call;
using pickle::dict;
using pickle::global;
using pickle::integer;
using pickle::list;
using pickle::numbers;
using pickle::storage;
using pickle::tensor;
using pickle::text;
using pickle::tuple;
using pickle::vector;

std::string floats() {
  return storage("FloatStorage", "0", 8);
}

void expect_tensor_refused(
    std::int64_t offset,
    const std::vector<std::int64_t>& size,
    const std::vector<std::int64_t>& stride,
    const std::string& cause) {
  expect_value_refused(
      tensor(floats(), offset, numbers(size), numbers(stride)), "tensor 'a': " + cause);
}

/// Why "a" is not read, in a file that is sound otherwise and has a tensor beside it.
std::string problem_of(const std::string& value) {
  const auto bytes = torch_zip(
      dict({text("sound"), vector("0", 8), text("a"), value}), {{"0", std::string(32, 'x')}});
  const auto tree = find_state_dict(open_bytes(bytes));
  EXPECT_EQ(tree.tensors.size(), 1U);
  EXPECT_EQ(tree.skipped.at(0).name, "a");
  EXPECT_TRUE(tree.skipped.at(0).is_tensor);
  return tree.skipped.at(0).reason;
}

TEST(TorchTensor, IsAViewOfAStorage) {
  const auto found = tensor_of(tensor(floats(), 1, numbers({2, 3}), numbers({3, 1})));
  EXPECT_EQ(found.dtype, detail::Dtype::F32);
  EXPECT_EQ(found.offset, 1U);
  EXPECT_EQ(found.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(found.stride, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(found.size(), 24U);
  EXPECT_TRUE(found.is_contiguous());
  EXPECT_EQ(tensor_of(tensor(floats(), 7, ")", ")")).numel(), 1U);
  EXPECT_EQ(tensor_of(tensor(floats(), 100, numbers({0, 5}), numbers({5, 1}))).numel(), 0U);
}

TEST(TorchTensor, IsUnderstoodInEveryWayThatTorchWritesIt) {
  const auto size = numbers({8});
  const auto stride = numbers({1});
  const auto hooks = call("collections", "OrderedDict", {});
  const auto plain = vector("0", 8);
  const std::vector<std::string> ways = {
      call("torch._utils", "_rebuild_tensor", {floats(), integer(0), size, stride}),
      call(
          "torch._utils",
          "_rebuild_tensor_v2",
          {floats(), integer(0), size, stride, "\x89", hooks, "}"}),
      tensor(floats(), 0, call("torch", "Size", {list({integer(8)})}), stride),
      tensor(floats(), 0, list({integer(8)}), stride),
      call("torch._utils", "_rebuild_parameter", {plain, "\x88", hooks}),
      call("torch._utils", "_rebuild_parameter_with_state", {plain, "\x88", hooks, "}"}),
      call("torch.nn.parameter", "Parameter", {plain, "\x88"}),
      global("torch.nn.parameter", "Parameter") + tuple({plain, "\x88"}) + "\x81",
      call(
          "torch._tensor",
          "_rebuild_from_type_v2",
          {global("torch._utils", "_rebuild_tensor_v2"),
           global("timm", "Subclass"),
           tuple({floats(), integer(0), size, stride, "\x89", hooks}),
           "}"}),
      plain + dict({text("attribute"), "N"}) + "b"};
  for (const auto& way : ways) {
    const auto found = tensor_of(way);
    EXPECT_EQ(found.shape, (std::vector<std::int64_t>{8}));
    EXPECT_EQ(found.dtype, detail::Dtype::F32);
  }
}

TEST(TorchTensor, IsLeftOutByNameWhereItIsOfAnotherKind) {
  const auto hooks = call("collections", "OrderedDict", {});
  EXPECT_EQ(
      problem_of(call("torch._utils", "_rebuild_qtensor", {})),
      "is quantised, which vitrine does not read");
  EXPECT_EQ(
      problem_of(call("torch._utils", "_rebuild_sparse_tensor", {})),
      "is sparse, which vitrine does not read");
  EXPECT_EQ(
      problem_of(call("torch._utils", "_rebuild_nested_tensor", {})),
      "is made by torch._utils._rebuild_nested_tensor, which vitrine does not know");
  EXPECT_EQ(
      problem_of(tensor(storage("FloatStorage", "1", 4, "meta"), 0, numbers({4}), numbers({1}))),
      "is on the device meta, where tensors have no values");
  const auto with_flag = [&](const std::string& flag) {
    return call(
        "torch._utils",
        "_rebuild_tensor_v2",
        {floats(),
         integer(0),
         numbers({8}),
         numbers({1}),
         "\x89",
         hooks,
         dict({text(flag), "\x88"})});
  };
  EXPECT_EQ(problem_of(with_flag("neg")), "has the flag neg, which vitrine does not apply");
  EXPECT_EQ(problem_of(with_flag("conj")), "has the flag conj, which vitrine does not apply");
  const auto untyped = storage("UntypedStorage", "1", 0, "meta");
  const auto of_dtype = [&](const std::string& dtype) {
    return call(
        "torch._utils",
        "_rebuild_tensor_v3",
        {untyped, integer(0), numbers({0}), numbers({1}), "\x89", hooks, dtype});
  };
  EXPECT_EQ(
      problem_of(of_dtype(global("torch", "complex128"))),
      "has the dtype torch.complex128, which vitrine does not read");
  EXPECT_EQ(problem_of(of_dtype("N")), "has the dtype None, which vitrine does not read");
  const auto wide =
      tensor(storage("ComplexDoubleStorage", "1", 0, "meta"), 0, numbers({0}), numbers({1}));
  EXPECT_EQ(
      problem_of(wide), "has elements of torch.ComplexDoubleStorage, which vitrine does not read");
}

TEST(TorchTensor, HasArgumentsOfTheRightNumberAndKind) {
  expect_value_refused(
      call("torch._utils", "_rebuild_tensor_v2", {}), "has 0 arguments, expected 6 to 7");
  expect_value_refused(
      call("torch._utils", "_rebuild_tensor", {floats()}), "has 1 arguments, expected 4 to 4");
  expect_value_refused(
      call("torch._utils", "_rebuild_tensor_v3", {floats()}), "has 1 arguments, expected 7 to 8");
  expect_value_refused(
      tensor("N", 0, numbers({1}), numbers({1})), "tensor 'a': its storage is None");
  expect_value_refused(
      tensor(floats(), 0, "N", numbers({1})), "its size is None, expected a tuple");
  expect_value_refused(
      tensor(floats(), 0, numbers({1}), text("1")), "its stride is the string '1'");
  expect_value_refused(
      tensor(floats(), 0, tuple({text("1")}), numbers({1})), "its size holds the string '1'");
  expect_value_refused(
      tensor(floats(), 0, tuple({"\x8A\x09" + std::string(9, '\1')}), numbers({1})),
      "its size holds an int");
  expect_value_refused(
      call("torch._utils", "_rebuild_tensor", {floats(), "N", numbers({1}), numbers({1})}),
      "its offset is None");
}

TEST(TorchTensor, HasSizesAndStridesFromZeroOn) {
  expect_tensor_refused(0, {-1}, {1}, "its size holds the int -1");
  expect_tensor_refused(0, {1}, {-1}, "its stride holds the int -1");
  expect_tensor_refused(-1, {1}, {1}, "its offset is the int -1");
  expect_tensor_refused(0, {2, 2}, {1}, "it has 2 sizes, but 1 strides");
  expect_tensor_refused(0, {}, {1}, "it has 0 sizes, but 1 strides");
}

TEST(TorchTensor, HasAtMost64Dimensions) {
  const std::vector<std::int64_t> most(64, 1);
  EXPECT_EQ(tensor_of(tensor(floats(), 0, numbers(most), numbers(most))).shape.size(), 64U);
  const std::vector<std::int64_t> more(65, 1);
  expect_tensor_refused(0, more, more, "its size has 65 dimensions, expected at most 64");
}

TEST(TorchTensor, LiesWithinItsStorage) {
  expect_tensor_refused(0, {9}, {1}, "its last element is number 8 of its storage, which has 8");
  expect_tensor_refused(8, {1}, {1}, "its last element is number 8");
  expect_tensor_refused(8, {}, {}, "its last element is number 8");
  expect_tensor_refused(0, {2, 2}, {7, 1}, "its last element is number 8");
  expect_tensor_refused(0, {2}, {kLargest}, "its last element is number 9223372036854775807");
  EXPECT_EQ(tensor_of(tensor(floats(), 0, numbers({2, 2}), numbers({6, 1}))).span(), 8U);
}

TEST(TorchTensor, HasNumbersThatDoNotOverflow) {
  expect_tensor_refused(
      kLargest, {3, 2}, {kLargest, kLargest}, "its last element is number 2^64 or more");
  expect_tensor_refused(
      0, {4294967296, 4294967296}, {0, 0}, "the number of its elements or bytes overflows");
  expect_tensor_refused(0, {kLargest, 3}, {0, 0}, "the number of its elements or bytes overflows");
  expect_tensor_refused(
      0, {0, kLargest, kLargest}, {1, 1, 1}, "the number of its elements or bytes overflows");
  expect_tensor_refused(
      0, {std::int64_t{1} << 62}, {0}, "the number of its elements or bytes overflows");
}

TEST(TorchTensor, RepeatsElementsWithinBounds) {
  EXPECT_EQ(
      tensor_of(tensor(floats(), 7, numbers({1000, 1000}), numbers({0, 0}))).numel(), 1'000'000U);
  expect_tensor_refused(
      0, {1'000'000'000'000}, {0}, "it repeats the 32 bytes of its storage up to 4000000000000");
  expect_tensor_refused(
      0,
      {16'777'217},
      {0},
      "it repeats the 32 bytes of its storage up to 67108868, expected at most 67108864");
}

TEST(TorchTensor, TakesNoMoreMemoryTogetherThanTheFileWarrants) {
  // Each alone is within bounds: 64 MB of one element.
  std::vector<std::string> items;
  for (int i = 0; i < 3; ++i) {
    items.push_back(text("a" + std::to_string(i)));
    items.push_back(tensor(floats(), 0, numbers({8'000'000}), numbers({0})));
  }
  expect_pth_refused(
      torch_zip(dict(items), {{"0", std::string(32, 'x')}}),
      "its tensors, up to 'a2', take more than ");
}

TEST(TorchTensor, RunsNothing) {
  const TemporaryFolder folder;
  const auto mark = folder / "mark";
  const auto harm = call("os", "system", {text("touch " + mark)});
  // As a value beside weights, as the file's whole value, in a tensor's place and within one.
  const auto beside =
      torch_zip(dict({text("a"), vector("0", 8), text("b"), harm}), {{"0", std::string(32, 'x')}});
  read_everything(open_bytes(beside));
  expect_pth_refused(torch_zip(harm, {}), "os.system");
  expect_value_refused(tensor(harm, 0, numbers({1}), numbers({1})), "os.system");
  expect_value_refused(tensor(floats(), 0, harm, numbers({1})), "os.system");
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST(TorchTensor, MayHaveAValueOfAnyDepthBesideIt) {
  std::string deep;
  for (int i = 0; i < 300'000; ++i) {
    deep += "]";
  }
  deep += "N" + std::string(300'000, 'a');
  const auto bytes =
      torch_zip(dict({text("a"), vector("0", 8), text("b"), deep}), {{"0", std::string(32, 'x')}});
  expect_cheap([&] { EXPECT_EQ(find_state_dict(open_bytes(bytes)).tensors.size(), 1U); });
}

TEST(TorchTensor, MayBeWrappedAFewTimes) {
  auto value = vector("0", 8);
  for (int i = 0; i < 8; ++i) {
    value = call("torch._utils", "_rebuild_parameter", {value, "\x88", "N"});
  }
  EXPECT_EQ(tensor_of(value).numel(), 8U);
  value = call("torch._utils", "_rebuild_parameter", {value, "\x88", "N"});
  EXPECT_EQ(
      problem_of(value), "is made by torch._utils._rebuild_parameter, which vitrine does not know");
}

TEST(TorchTensor, IsRefusedCheaplyHoweverManyThereAre) {
  // Names for a storage of 1 MB each, and one at the end that is outside it.
  std::string names = global("torch._utils", "_rebuild_tensor") + pickle::put(0) + "0" + floats() +
                      pickle::put(1) + "0" + numbers({8}) + pickle::put(2) + "0" + numbers({1}) +
                      pickle::put(3) + "0}(";
  for (int i = 0; names.size() < 900'000; ++i) {
    names += text(std::to_string(i)) + "h" + std::string(1, '\0') + "(h\x01K" +
             std::string(1, '\0') + "h\x02h\x03tR";
  }
  names += text("last") + "h" + std::string(1, '\0') + "(h\x01K\x01h\x02h\x03tRu";
  expect_pth_refused(
      torch_zip(names, {{"0", std::string(32, 'x')}}), "tensor 'last': its last element");
}

}  // namespace
}  // namespace vitrine
