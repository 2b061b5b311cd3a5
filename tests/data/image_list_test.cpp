#include <gtest/gtest.h>

#include <string>

#include "vitrine/data/image_data.h"
#include "vitrine/error.h"

#include "data/data_files.h"
#include "support/file_error.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

using Names = std::vector<std::string>;

/// The error of a list with this content, less its path.
std::string list_error(const std::string& text) {
  const TemporaryFolder folder;
  const auto path = folder / "list.csv";
  write_file(path, text);
  const auto error = file_error_of([&] { find_images(path); });
  EXPECT_EQ(error.rfind(path + ": ", 0), 0U) << error;
  return error.substr(std::min(error.size(), path.size() + 2));
}

TEST(ImageList, ReadsCsvWithQuotesInAnyOrderOfColumns) {
  const TemporaryFolder folder;
  write_file(
      folder / "list.csv",
      "\xef\xbb\xbflabel,size,file\r\n"
      "dog,1,a.png\r\n"
      "\"cat, or \"\"kitten\"\"\",2,\"sub/b\nc.png\"\r\n"
      "\r\n"
      "dog,3,/abs/d.png");
  const auto data = find_images(folder / "list.csv");
  ASSERT_EQ(data.parts.size(), 1U);
  const auto& set = data.parts.at("");
  EXPECT_EQ(set.classes, (Names{"cat, or \"kitten\"", "dog"}));
  EXPECT_EQ(labels_of(set), "1 0 1");
  EXPECT_EQ(set.samples[0].path, folder / "a.png");
  EXPECT_EQ(set.samples[1].path, folder / "sub/b\nc.png");
  EXPECT_EQ(set.samples[2].path, "/abs/d.png");
}

TEST(ImageList, ReadsJsonLinesWithLabelsOfEitherType) {
  const TemporaryFolder folder;
  write_file(
      folder / "images.txt",
      "{\"file\": \"a.png\", \"label\": 10, \"split\": \"train\"}\n\n"
      "{\"file\": \"b.png\", \"label\": \"9\", \"split\": \"val\", \"by\": [1]}\n");
  const auto data = find_images(folder / "images.txt");
  EXPECT_EQ(data.parts.at("train").classes, (Names{"9", "10"}));
  EXPECT_EQ(labels_of(data.parts.at("train")), "1");
  EXPECT_EQ(labels_of(data.parts.at("val")), "0");
}

TEST(ImageList, OrdersClassesByValueWhereAllAreWholeNumbers) {
  const TemporaryFolder folder;
  write_file(folder / "list.csv", "file,label\na,10\nb,9\nc,007\nd,7\n");
  EXPECT_EQ(find_images(folder / "list.csv").parts.at("").classes, (Names{"007", "7", "9", "10"}));
  write_file(folder / "list.csv", "file,label\na,10\nb,9\nc,x\n");
  EXPECT_EQ(find_images(folder / "list.csv").parts.at("").classes, (Names{"10", "9", "x"}));
}

TEST(ImageList, TakesTheListsOfAFolderTogether) {
  const TemporaryFolder folder;
  write_file(folder / "train.csv", "file,label\na.png,x\nb.png,y\n");
  write_file(folder / "val.jsonl", "{\"file\": \"c.png\", \"label\": \"y\"}");
  const auto splits = scan_image_splits(folder.path());
  EXPECT_EQ(splits.val.classes, (Names{"x", "y"}));
  EXPECT_EQ(labels_of(splits.val), "1");
  EXPECT_EQ(splits.val.samples[0].path, folder / "c.png");
}

TEST(ImageList, RefusesAClassThatNothingTrains) {
  const TemporaryFolder folder;
  write_file(folder / "train.csv", "file,label\na.png,x\nb.png,y\n");
  write_file(folder / "val.csv", "file,label\nc.png,z\n");
  const auto error = file_error_of([&] { scan_image_splits(folder.path()); });
  EXPECT_NE(error.find("class 'z' has no image"), std::string::npos) << error;
}

TEST(ImageList, NamesTheLineThatIsWrong) {
  EXPECT_EQ(
      list_error("a.png,dog\n"),
      "line 1: has no column 'file', expected a list of images: names of columns, such as "
      "file,label, or JSON lines");
  EXPECT_NE(list_error("").find("line 1: has no column 'file'"), std::string::npos);
  EXPECT_EQ(
      list_error("file,label,label\na,b,c\n"), "line 1: has two columns 'label', expected one");
  EXPECT_EQ(list_error("file,label\n"), "lists no image");
  EXPECT_EQ(
      list_error("file,label\na,b\nc\n"), "line 3: has 1 fields, expected 2 as on the first line");
  EXPECT_EQ(list_error("file,label\n\"a\nb\",c\n,d\n"), "line 4: its file is empty");
  EXPECT_EQ(list_error("file,label\na,\n"), "line 2: its label is empty");
  EXPECT_EQ(list_error("file,label\na,\"b\nc"), "line 2: a quote is not closed");
  EXPECT_EQ(
      list_error("file,label\n\"a\"b,c\n"),
      "line 2: something stands behind a closing quote, expected a comma");
  EXPECT_EQ(
      list_error("file,label\na\"b\",c\n"),
      "line 2: a quote stands inside a field that does not begin with one");
  EXPECT_EQ(
      list_error("file,label,split\na,b,train\nc,d,test\n"),
      "line 3: its split is 'test', expected train or val");
  EXPECT_EQ(
      list_error("file,label,split\na,b,train\nc,d,\n"),
      "line 3: has no split, expected train or val as elsewhere");
  EXPECT_EQ(
      list_error(std::string("file,label\na\0b,c\n", 17)), "line 2: its file holds a zero byte");
}

TEST(ImageList, NamesTheJsonThatIsWrong) {
  EXPECT_EQ(
      list_error("{\"file\": \"a\", \"label\": \"b\"}\n{\"file\":\n"),
      "line 2: expected a JSON object with 'file' and 'label'");
  EXPECT_EQ(
      list_error("{\"file\": 1, \"label\": \"b\"}\n"),
      "line 1: expected 'file' as a text in its object");
  EXPECT_EQ(
      list_error("{\"file\": \"a\", \"label\": 1.5}\n"),
      "line 1: expected 'label' as a text in its object");
  EXPECT_EQ(
      list_error("{\"file\": \"a\", \"label\": \"b\", \"l\\u0061bel\": \"c\"}\n"),
      "line 1: has 'label' twice, expected once");
  EXPECT_EQ(
      list_error("{\"file\": \"a\", \"file\": {\"file\": 1}, \"label\": \"b\"}\n"),
      "line 1: has 'file' twice, expected once");
  EXPECT_NE(list_error("{" + std::string(100'000, '[')).find("line 1: "), std::string::npos);
}

}  // namespace
}  // namespace vitrine
