#include "vitrine/infer/labels.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

std::vector<std::string> labels_of(const std::string& text) {
  const TemporaryFolder folder;
  const auto path = folder / "labels.txt";
  std::ofstream(path, std::ios::binary) << text;
  return read_labels(path);
}

TEST(ReadLabels, TakesOneALine) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(
      labels_of("cat\nblack dog\nh\xc3\xbchner\n"), (Labels{"cat", "black dog", "h\xc3\xbchner"}));
  EXPECT_EQ(labels_of("cat\r\ndog"), (Labels{"cat", "dog"}));
  EXPECT_EQ(labels_of(""), Labels{});
}

TEST(ReadLabels, RefusesEmptyLinesAndBinaryData) {
  const TemporaryFolder folder;
  const auto path = folder / "labels.txt";
  const auto refuse = [&](const std::string& text, const std::string& cause) {
    std::ofstream(path, std::ios::binary) << text;
    expect_refusal([&] { read_labels(path); }, path + ": ", {cause});
  };
  refuse("cat\n\ndog\n", "line 2 is empty, expected the name of a class");
  refuse("cat\n\r\n", "line 2 is empty, expected the name of a class");
  refuse("cat\n\xff\xfe\n", "line 2 is no plain UTF-8 text: '\\xff\\xfe'");
  refuse(std::string("c\0t", 3), "line 1 is no plain UTF-8 text: 'c\\x00t'");
  refuse(std::string(1'000'000, '\1'), "line 1 is no plain UTF-8 text: '\\x01");
  refuse(std::string(1'000'000, '\n'), "line 1 is empty");
}

TEST(ReadLabels, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  expect_refusal(
      [] { read_labels("/nowhere/labels.txt"); },
      "/nowhere/labels.txt: ",
      {"cannot open: No such file or directory"});
  expect_refusal(
      [&] { read_labels(folder.path()); }, folder.path() + ": ", {"is a folder, expected a file"});
}

}  // namespace
}  // namespace vitrine
