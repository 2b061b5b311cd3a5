#include "vitrine/file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

TEST(ReadFile, NamesAMissingFileAndAFolder) {
  const TemporaryFolder folder;
  try {
    read_file(folder / "none");
    FAIL() << "a missing file was read";
  } catch (const FileError& error) {
    EXPECT_EQ(error.what(), (folder / "none") + ": cannot open: No such file or directory");
  }
  expect_refusal(
      [&] { read_file(folder.path()); }, folder.path() + ": ", {"is a folder, expected a file"});
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", [](File& file) { file.write("12345"); });
  EXPECT_EQ(read_file(folder / "a", 5).size(), 5U);
  expect_refusal(
      [&] { read_file(folder / "a", 4); }, folder / "a: ", {"has 5 bytes, expected at most 4"});
}

TEST(WriteFileAtomically, ReplacesTheOldFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", [](File& file) { file.write("old"); });
  write_file_atomically(folder / "a", [](File& file) { file.write("new text"); });
  EXPECT_EQ(text_of(folder / "a"), "new text");
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenWritingFails) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", [](File& file) { file.write("old"); });
  EXPECT_THROW(
      write_file_atomically(
          folder / "a",
          [](File& file) {
            file.write("half of");
            throw FileError("stopped");
          }),
      FileError);
  EXPECT_EQ(text_of(folder / "a"), "old");
  // Nothing is left beside it.
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    files += entry.exists() ? 1 : 0;
  }
  EXPECT_EQ(files, 1U);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", [](File& file) { file.write("old"); });
  // A limit on the size of files, with its signal ignored, fails as a full disk does.
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limited = before;
  limited.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
  EXPECT_THROW(
      write_file_atomically(folder / "a", [](File& file) { file.write(std::string(10000, 'x')); }),
      FileError);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(text_of(folder / "a"), "old");
}

TEST(File, ReportsAReadPastTheEnd) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", [](File& file) { file.write("abc"); });
  const File file(folder / "a", File::Mode::Read);
  char two[2];
  file.read_at(1, two, 2);
  EXPECT_EQ(std::string(two, 2), "bc");
  expect_refusal(
      [&] { file.read_at(2, two, 2); },
      folder / "a: ",
      {"ended while it was read; was it cut short meanwhile?"});
}

/// A file of three pages.
class SeenFile : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < 10'000; ++i) {
      text_ += static_cast<char>('a' + i % 26 + i / 26 % 3);
    }
    write_file_atomically(path_, [&](File& file) { file.write(text_); });
  }

  /// Whether the place of the test grants leases at all.
  bool granted() const { return File(path_, File::Mode::Read).view(0, 1).data() != nullptr; }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "seen";
  std::string text_;
};

TEST_F(SeenFile, HasTheBytesOfAnyPlace) {
  if (!granted()) {
    GTEST_SKIP() << "the file system has no leases";
  }
  const File file(path_, File::Mode::Read);
  const auto view = file.view(4097, 4100);
  ASSERT_NE(view.data(), nullptr);
  EXPECT_EQ(std::string_view(view.data(), 4100), std::string_view(text_).substr(4097, 4100));
}

TEST_F(SeenFile, IsNotSeenPastItsEnd) {
  const File file(path_, File::Mode::Read);
  EXPECT_EQ(file.view(9'999, 2).data(), nullptr);
  EXPECT_EQ(file.view(10'001, 1).data(), nullptr);
  EXPECT_EQ(file.view(1, SIZE_MAX).data(), nullptr);
}

TEST_F(SeenFile, IsNotSeenOnceItIsShorter) {
  const File file(path_, File::Mode::Read);
  std::filesystem::resize_file(path_, 5'000);
  EXPECT_EQ(file.view(4'000, 2'000).data(), nullptr);
}

TEST_F(SeenFile, IsNotSeenWhileAnotherMayWriteToIt) {
  const File writer(path_, File::Mode::Append);
  const File file(path_, File::Mode::Read);
  EXPECT_EQ(file.view(0, 1).data(), nullptr);
}

TEST_F(SeenFile, IsHeldBackFromWritersUntilItIsClosed) {
  if (!granted()) {
    GTEST_SKIP() << "the file system has no leases";
  }
  const auto open_to_write = [&] {
    return ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  };
  {
    const File file(path_, File::Mode::Read);
    const auto view = file.view(0, 1);
    EXPECT_EQ(open_to_write(), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(file.view(0, 1).data(), nullptr) << "someone waits to write";
  }
  const auto descriptor = open_to_write();
  EXPECT_GE(descriptor, 0);
  ::close(descriptor);
}

}  // namespace
}  // namespace vitrine
