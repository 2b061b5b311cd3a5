#include "vitrine/infer/labels.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "vitrine/error.h"

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
  EXPECT_THROW(labels_of("cat\n\ndog\n"), FileError);
  EXPECT_THROW(labels_of("cat\n\r\n"), FileError);
  EXPECT_THROW(labels_of("cat\n\xff\xfe\n"), FileError);
  EXPECT_THROW(labels_of(std::string("c\0t", 3)), FileError);
  EXPECT_THROW(read_labels("/nowhere/labels.txt"), FileError);
}

}  // namespace
}  // namespace vitrine
