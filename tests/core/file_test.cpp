#include "vitrine/file.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <sys/resource.h>

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

}  // namespace
}  // namespace vitrine
