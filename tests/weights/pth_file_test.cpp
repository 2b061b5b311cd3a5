#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "vitrine/file.h"

#include "hostile_pth.h"
#include "pth_assembler.h"
#include "weights/pickle_describe.h"
#include "weights/python_object.h"

namespace vitrine {
namespace {

using pickle::dict;
using pickle::numbers;
using pickle::storage;
using pickle::tensor;
using pickle::text;
using pickle::vector;
using std::string_literals::operator""s;

const std::string kGolden = VITRINE_TEST_DATA "/golden/pth/";

nlohmann::json golden() {
  return nlohmann::json::parse(std::ifstream(kGolden + "golden.json"));
}

std::string hexadecimal(const std::string& bytes) {
  constexpr auto kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += kDigits[static_cast<std::uint8_t>(byte) >> 4];
    text += kDigits[byte & 0xF];
  }
  return text;
}

/// The bytes of the only tensor of a file.
std::string only_tensor(const std::string& bytes) {
  const auto file = open_bytes(bytes);
  const auto tree = find_state_dict(file);
  EXPECT_EQ(tree.tensors.size(), 1U);
  return read_tensor_bytes(file, tree.tensors.at(0).tensor);
}

TEST(PthFile, ReadsWhatTorchWroteToTheBit) {
  const auto expected = golden();
  ASSERT_GE(expected.size(), 20U);
  for (const auto& [name, content] : expected.items()) {
    SCOPED_TRACE(name);
    const detail::PthFile file(kGolden + name);
    const auto tree = find_state_dict(file);
    EXPECT_EQ(tree.path, content["path"]);
    ASSERT_EQ(tree.tensors.size(), content["tensors"].size());
    for (std::size_t i = 0; i < tree.tensors.size(); ++i) {
      const auto& [key, tensor] = tree.tensors[i];
      const auto& wanted = content["tensors"][i];
      EXPECT_EQ(key, wanted[0]);
      EXPECT_EQ(dtype_name(tensor.dtype), wanted[1]) << key;
      EXPECT_EQ(tensor.shape, wanted[2].get<std::vector<std::int64_t>>()) << key;
      EXPECT_EQ(hexadecimal(read_tensor_bytes(file, tensor)), wanted[3]) << key;
    }
  }
}

TEST(PthFile, KeepsWhatIsBesideTheWeights) {
  for (const auto* name : {"training.pth", "training_protocol5.pth", "training_legacy.pth"}) {
    SCOPED_TRACE(name);
    const detail::PthFile file(kGolden + name);
    const auto& graph = file.graph();
    const auto at = [&](detail::PickleId id, const char* key) {
      return find_item(graph, id, key).value_or(detail::PickleGraph::kNone);
    };
    const auto root = graph.root();
    EXPECT_EQ(describe(graph, at(root, "epoch")), "the int 7");
    EXPECT_EQ(describe(graph, at(root, "large")), "an int");
    EXPECT_EQ(describe(graph, at(root, "args")), "an object of argparse.Namespace");
    EXPECT_EQ(graph.real(at(graph.state(at(root, "args")), "lr")), 1e-3);
    EXPECT_EQ(describe(graph, at(root, "config")), "an object of yacs.config.CfgNode");
    EXPECT_EQ(describe(graph, at(at(at(root, "config"), "MODEL"), "NAME")), "the string 'swin'");
    EXPECT_EQ(describe(graph, at(root, "when")), "an object of datetime.datetime");
    const auto best = graph.items(graph.arguments(at(root, "best")));
    ASSERT_EQ(best.size(), 2U);  // a dtype and bytes, with which numpy makes a scalar
    EXPECT_EQ(bytes_value(graph, best[1]), "\0\0\0\0\0\0\xEA\x3F"s);
  }
}

TEST(PthFile, NamesTensorsThatItDoesNotRead) {
  const auto tree = find_state_dict(detail::PthFile(kGolden + "unread.pth"));
  std::vector<std::string> names;
  for (const auto& entry : tree.skipped) {
    names.push_back(entry.name);
    EXPECT_EQ(entry.is_tensor, entry.name != "count") << entry.name;
  }
  const std::vector<std::string> expected = {
      "quantised", "sparse", "wide", "negated", "meta", "count"};
  EXPECT_EQ(names, expected);
}

TEST(PthFile, OfTorchIsRefusedOrHarmlessWhateverByteIsDamaged) {
  for (const auto* name : {"state_dict.pth", "legacy.pth", "views.pth"}) {
    const auto content = read_file(kGolden + name);
    const std::string bytes(content.begin(), content.end());
    for (std::size_t place = 0; place < bytes.size(); place += 1) {
      auto damaged = bytes;
      damaged[place] = static_cast<char>(damaged[place] ^ (1 << place % 8));
      try {
        read_everything(open_bytes(damaged));
      } catch (const CheckpointError& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      }
    }
  }
}

TEST(PthFile, OfTorchIsRefusedAtEveryLength) {
  for (const auto* name : {"state_dict.pth", "legacy.pth"}) {
    const auto content = read_file(kGolden + name);
    const std::string bytes(content.begin(), content.end());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      SCOPED_TRACE(size);
      expect_refusal<CheckpointError>(
          [&] { open_bytes(bytes.substr(0, size)); },
          "m.pth: ",
          {"is empty",
           "is no PyTorch checkpoint",
           "does not end with its end record: it is cut short",
           "without a STOP; is the download incomplete?",
           " are left; is the download incomplete?",
           "has a line that does not end",
           "ends within storage"});
    }
  }
}

TEST(PthFile, ReadsFilesThatAreOnTheDisk) {
  const TemporaryFolder folder;
  const auto refuse = [](const std::string& path, const std::string& cause) {
    expect_refusal([&] { detail::PthFile{path}; }, path + ": ", {cause});
  };
  refuse(folder / "none.pth", "cannot open: No such file or directory");
  refuse(folder.path(), "is a folder, expected a file");
  EXPECT_EQ(detail::PthFile(kGolden + "state_dict.pth").subject(), kGolden + "state_dict.pth");
}

TEST(PthFile, TellsWhenTheFileWasCutShortAfterItWasOpened) {
  const TemporaryFolder folder;
  const auto path = folder / "m.pth";
  for (const auto* name : {"state_dict.pth", "legacy.pth", "views.pth"}) {
    std::filesystem::copy_file(
        kGolden + name, path, std::filesystem::copy_options::overwrite_existing);
    const detail::PthFile file(path);
    const auto tree = find_state_dict(file);
    std::filesystem::resize_file(path, 100);
    for (const auto& entry : tree.tensors) {
      SCOPED_TRACE(name + (" " + entry.name));
      std::string out(entry.tensor.size(), '\0');
      if (!out.empty()) {
        expect_refusal(
            [&] { file.read(entry.tensor, out.data()); },
            path + ": ",
            {"ended while it was read; was it cut short meanwhile?"});
      }
    }
  }
}

TEST(PthFile, SaysWhatAFileIsInstead) {
  expect_pth_refused("", "is empty");
  expect_pth_refused("x", "is no PyTorch checkpoint");
  expect_pth_refused("<!DOCTYPE html>", "is an HTML or XML page");
  expect_pth_refused("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer");
  expect_pth_refused(
      std::string(257, 'x') + "ustar  " + std::string(300, '\0'), "is a tar archive");
  expect_pth_refused("\x93NUMPY\x01\0"s, "is a numpy array");
  expect_pth_refused(
      "\x80\x04\x95\x01\0\0\0\0\0\0\0}."s, "is a Python pickle, but none that torch.save");
  expect_pth_refused(zip_bytes({{"weight.npy", "x"}}), "is a numpy archive (.npz)");
  expect_pth_refused(
      zip_bytes({{"word/document.xml", "x"}}), "is a zip archive without a data.pkl");
  expect_pth_refused(zip_bytes({{"data.pkl", "x"}}), "is a zip archive without a data.pkl");
  expect_pth_refused(zip_bytes({{"m/x/data.pkl", "x"}}), "is a zip archive without a data.pkl");
}

TEST(PthFile, HasOneDataPickle) {
  const auto pickle = pickle::whole("}");
  expect_pth_refused(
      zip_bytes({{"m/data.pkl", pickle}, {"n/data.pkl", pickle}}),
      "more than one data.pkl, in the folders 'm/' and 'n/'");
}

TEST(PthFile, IsNoTorchScript) {
  auto parts = torch_parts(pickle::whole("}"));
  parts.push_back({"m/constants.pkl", pickle::whole(")")});
  expect_pth_refused(zip_bytes(parts), "is a TorchScript archive, which is a program");
}

TEST(PthFile, HasNothingAfterTheStopOfItsPickle) {
  expect_pth_refused(
      zip_bytes({{"m/data.pkl", pickle::whole("}") + "N."}}),
      "data.pkl: goes on for 2 bytes after its STOP");
}

TEST(PthFile, ChecksTheChecksumsThatAreThere) {
  auto parts = torch_parts(pickle::whole(dict({text("a"), vector("0", 1)})), {{"0", "abcd"}});
  parts[0].crc = 1;
  expect_pth_refused(zip_bytes(parts), "its data.pkl is damaged");
  parts[0].crc = 0;
  EXPECT_EQ(only_tensor(zip_bytes(parts)), "abcd");
  parts[1].crc = 1;
  expect_pth_refused(zip_bytes(parts), "storage '0' is damaged: the CRC-32");
  parts[1].crc = 0;
  EXPECT_EQ(only_tensor(zip_bytes(parts)), "abcd");
}

TEST(PthFile, ReadsNumbersInTheOrderOfTheirBytes) {
  const auto of = [](const std::string& order) {
    auto parts = torch_parts(pickle::whole(dict({text("a"), vector("0", 2)})), {{"0", "abcdefgh"}});
    parts.push_back({"m/byteorder", order});
    return zip_bytes(parts);
  };
  EXPECT_EQ(only_tensor(of("little")), "abcdefgh");
  EXPECT_EQ(only_tensor(of("big")), "dcbahgfe");
  expect_pth_refused(of("middle"), "its byteorder is 'middle', expected 'little' or 'big'");
  expect_pth_refused(of(""), "its byteorder is ''");
  expect_pth_refused(of(std::string(100'000, 'x')), "its byteorder is ''");
}

TEST(PthFile, ReadsBooleansAsZeroAndOne) {
  const auto a = tensor(storage("BoolStorage", "0", 4), 0, numbers({4}), numbers({1}));
  EXPECT_EQ(
      only_tensor(torch_zip(dict({text("a"), a}), {{"0", "\0\x01\x02\xFF"s}})), "\0\x01\x01\x01"s);
}

TEST(PthFile, ReadsManyPiecesOfALargeStorage) {
  std::string bytes(5'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * i >> 3);
  }
  const auto whole =
      tensor(storage("ByteStorage", "0", 5'000'000), 0, numbers({5'000'000}), numbers({1}));
  EXPECT_TRUE(only_tensor(torch_zip(dict({text("a"), whole}), {{"0", bytes}})) == bytes);
  const auto part =
      tensor(storage("ByteStorage", "0", 5'000'000), 7, numbers({2'000'000}), numbers({1}));
  EXPECT_TRUE(
      only_tensor(torch_zip(dict({text("a"), part}), {{"0", bytes}})) ==
      bytes.substr(7, 2'000'000));
}

}  // namespace
}  // namespace vitrine
