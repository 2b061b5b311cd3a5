#include <gtest/gtest.h>

#include <string>
#include <sys/stat.h>

#include "vitrine/error.h"
#include "vitrine/file.h"

#include "hostile_file.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

using std::string_literals::operator""s;

/// A small, sound file.
std::string sound_file() {
  const TemporaryFolder folder;
  StateDict tensors;
  tensors.insert("weight", torch::arange(6, torch::kFloat).view({2, 3}));
  tensors.insert("count", torch::tensor(3));
  write_safetensors(folder / "m.safetensors", tensors, {{"format", "pt"}});
  const auto bytes = read_file(folder / "m.safetensors");
  return {bytes.begin(), bytes.end()};
}

TEST(SafetensorsDamage, IsRefusedAtEveryLength) {
  const auto bytes = sound_file();
  ASSERT_EQ(read_bytes(bytes).tensors.size(), 2U);
  const auto data = bytes.size() - 6 * sizeof(float) - sizeof(int64_t);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    SCOPED_TRACE(length);
    expect_refused(
        bytes.substr(0, length),
        length == 0     ? "is empty; expected a safetensors file"
        : length < 8    ? "header too small, the file has only " + std::to_string(length)
        : length < data ? "invalid header length"
                        : "cut short: its tensors need 32 bytes of data, but it has " +
                              std::to_string(length - data));
  }
  expect_refused(bytes + '\0', "not fully covered: the tensors end at byte 32 of 33");
}

TEST(SafetensorsDamage, OfTheHeaderIsRefusedOrHarmless) {
  const auto bytes = sound_file();
  const auto header = bytes.size() - 6 * sizeof(float) - sizeof(int64_t);
  for (std::size_t place = 0; place < header; ++place) {
    for (const char flip : {'\x01', '\x10', '\x80', '\xFF'}) {
      auto damaged = bytes;
      damaged[place] = static_cast<char>(damaged[place] ^ flip);
      try {
        // Some letters may be others: a name, or the metadata.
        EXPECT_EQ(read_bytes(damaged).tensors.size(), 2U);
      } catch (const CheckpointError& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      }
    }
  }
}

TEST(SafetensorsDamage, SaysWhatAFileIsInstead) {
  expect_refused(
      "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>", "is an HTML or XML page");
  expect_refused("\n  <html>", "is an HTML or XML page");
  expect_refused("<a>", "is an HTML or XML page");
  expect_refused(R"({"error": "Repository not found"})", "is a JSON text");
  expect_refused(
      R"({"metadata": {"total_size": 8}, "weight_map": {"a": "model-00001-of-00002.safetensors"}})",
      "is the index of a checkpoint in several files");
  expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "Git LFS pointer");
  const auto zip = [](const std::string& member) {
    return "PK\x03\x04\x00\x00\x08\x08\x00\x00\x00\x00\x00\x00"s + std::string(12, '\0') +
           static_cast<char>(member.size()) + "\0\0\0"s + member + std::string(100, 'x');
  };
  expect_refused(
      zip("archive/data.pkl"), "is a PyTorch zip checkpoint (.pth); expected a safetensors file");
  expect_refused(zip("params.npy"), "is a numpy archive (.npz)");
  expect_refused(zip("other"), "is a zip archive");
  expect_refused(
      "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E\x80\x02M\xE9\x03."s,
      "is a PyTorch legacy checkpoint");
  expect_refused("\x80\x04\x95\x1A\0\0\0\0\0\0\0}"s, "is a Python pickle");
  expect_refused(std::string(257, 'x') + "ustar  " + std::string(300, '\0'), "is a tar archive");
  expect_refused("\x93NUMPY\x01\0\x76\0{'descr'"s, "is a numpy array");
  expect_refused("\x89HDF\r\n\x1A\n\0\0"s, "is an HDF5 file");
  expect_refused("GGUF\x03\0\0\0\x01"s, "is a GGUF file");
  expect_refused("\x1F\x8B\x08\0\0\0\0\0\0\x03"s, "is a gzip archive");
}

TEST(SafetensorsDamage, OfTheKindOfFileIsAnError) {
  const TemporaryFolder folder;
  const auto refuse = [](const std::string& path, const std::string& cause) {
    expect_refusal([&] { read_safetensors(path); }, path + ": ", {cause});
  };
  refuse(folder / "none.safetensors", "cannot open: No such file or directory");
  refuse(folder.path(), "is a folder, expected a file");
  ASSERT_EQ(::mkfifo((folder / "fifo.safetensors").c_str(), 0600), 0);
  refuse(folder / "fifo.safetensors", "is a device or a pipe, expected a file");
  refuse("/dev/zero", "is a device or a pipe, expected a file");
}

}  // namespace
}  // namespace vitrine
