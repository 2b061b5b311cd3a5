#include "vitrine/data/image_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "vitrine/error.h"

#include "support/file_error.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

void touch(const std::string& path) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << "x";
}

TEST(ScanImageFolder, SortsClassesAndFilesByTheirBytes) {
  const TemporaryFolder folder;
  for (const auto* name : {"b/2.png", "b/10.png", "B/x.JPG", "a/deep/er/y.Tiff", "a/z.webp"}) {
    touch(folder / name);
  }
  const auto found = scan_image_folder(folder.path());
  EXPECT_EQ(found.classes, (std::vector<std::string>{"B", "a", "b"}));
  std::vector<std::string> files;
  for (const auto& sample : found.samples) {
    files.push_back(
        std::to_string(sample.label) + ":" + sample.path.substr(folder.path().size() + 1));
  }
  EXPECT_EQ(
      files,
      (std::vector<std::string>{
          "0:B/x.JPG", "1:a/deep/er/y.Tiff", "1:a/z.webp", "2:b/10.png", "2:b/2.png"}));
}

TEST(ScanImageFolder, PassesOverHiddenFilesAndOtherKinds) {
  const TemporaryFolder folder;
  for (const auto* name :
       {"a/1.png",
        "b/1.png",
        "b/.2.png",
        "b/.cache/3.png",
        "b/notes.txt",
        "b/png",
        ".git/x.png",
        "stray.png"}) {
    touch(folder / name);
  }
  const auto found = scan_image_folder(folder.path());
  EXPECT_EQ(found.classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(found.samples.size(), 2U);
}

TEST(ScanImageFolder, DoesNotFollowALinkToAFolderAbove) {
  const TemporaryFolder folder;
  touch(folder / "a/1.png");
  touch(folder / "b/1.png");
  std::filesystem::create_directory_symlink(folder.path(), folder / "a/loop");
  EXPECT_EQ(scan_image_folder(folder.path()).samples.size(), 2U);
}

TEST(ScanImageFolder, EntersAFolderOnceWhereLinksLeadToEachOther) {
  const TemporaryFolder folder;
  touch(folder / "a/1.png");
  touch(folder / "b/2.png");
  for (const auto* name : {"l1", "l2", "l3"}) {
    std::filesystem::create_directory_symlink(folder / "b", folder / (std::string("a/") + name));
    std::filesystem::create_directory_symlink(folder / "a", folder / (std::string("b/") + name));
  }
  // Each class its own image and, by the first link, the other's.
  EXPECT_EQ(scan_image_folder(folder.path()).samples.size(), 4U);
}

TEST(ScanImageFolder, TakesALinkToItselfForAnImage) {
  const TemporaryFolder folder;
  touch(folder / "a/1.png");
  touch(folder / "b/2.png");
  std::filesystem::create_symlink("me.png", folder / "a/me.png");
  EXPECT_EQ(scan_image_folder(folder.path()).samples.size(), 3U);
}

TEST(ScanImageFolder, SaysWhatIsWrongInOneLine) {
  const TemporaryFolder folder;
  const auto root = folder / "data";
  const auto scan = [&] { scan_image_folder(root); };
  EXPECT_EQ(file_error_of(scan), root + ": no such folder");
  std::filesystem::create_directory(root);
  EXPECT_EQ(
      file_error_of(scan),
      root + ": has no class folder, expected at least two (" + root + "/<class>/<image>)");
  touch(root + "/cat/1.png");
  EXPECT_EQ(file_error_of(scan), root + ": has one class only ('cat'), expected at least two");
  std::filesystem::create_directory(root + "/dog");
  EXPECT_EQ(
      file_error_of(scan),
      root + ": class 'dog' has no image (jpg, jpeg, png, webp, bmp, tif or tiff)");
  EXPECT_NE(
      file_error_of([&] { scan_image_folder(root + "/cat/1.png"); }).find("is a file"),
      std::string::npos);
}

}  // namespace
}  // namespace vitrine
